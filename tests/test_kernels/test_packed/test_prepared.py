"""What is made once: panels for each kind of activations, corrections for each zero point, and no more than that."""

import numpy as np

from kernels import packed
from kernels.packed import prepared
from kernels.packed.lookups import has_lookup


def test_many_zero_points_are_not_all_kept(monkeypatch):
    monkeypatch.setattr(prepared, "_MOST_CORRECTIONS", 3)
    w = packed.pack(np.ones((2, 4, 1), int), 2, True, axis=1)
    layer = packed.Convolution(w, scheme="planes")
    a = packed.pack(np.full((1, 4, 2), 9), 4, False, axis=1)
    for zero in (*range(16), 3):
        assert (layer(a, zero_point=zero) == 4 * (9 - zero)).all()
    assert len(layer._prepared._corrections) <= 3 and len(layer._prepared._panels) == 1


def test_bytes_held_grow_with_the_schemes_used():
    w = packed.pack(np.ones((64, 64, 3, 3), int), 2, True, axis=1)
    a = packed.pack(np.ones((1, 64, 4, 4), int), 2, False, axis=1)
    sizes = {}
    for scheme in ("planes", *(["tables"] if has_lookup() else []), "int8", "packed"):
        layer = packed.Convolution(w, scheme=scheme)
        assert layer.nbytes == 64 * 64 * 9 * 2 // 8
        layer(a)
        sizes[scheme] = layer.nbytes
    assert sizes["planes"] == 64 * 64 * 9 * 2 // 8
    assert all(size > sizes["planes"] for scheme, size in sizes.items() if scheme != "planes")


def test_layers_take_activations_of_any_kind_in_turn():
    w = packed.pack(np.ones((3, 5, 1), int), 3, True, axis=1)
    layer = packed.Convolution(w)
    for bits in (1, 4, 8, 2, 12):
        a = packed.pack(np.ones((1, 5, 2), int), bits, False, axis=1)
        assert (layer(a) == 5).all()
