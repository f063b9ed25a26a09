"""The pieces of `benchmarks/packed.py`: they compute what they time, say so where it is wrong, and write their page."""

from pathlib import Path

import numpy as np
import pytest

import packed as command
from kernels.packed.schemes import SCHEMES
from quantised import additions, layers, memory, products, storage, timing, vectors


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Few calls on little: nothing here is about time."""
    monkeypatch.setattr(timing, "RUNS", 1)
    monkeypatch.setattr(layers, "CALLS", 1)
    monkeypatch.setattr(storage, "UNPACKED_BYTES", 64_000)
    monkeypatch.setattr(vectors, "CHANNELS", 128)
    monkeypatch.setattr(vectors, "WEIGHT_BYTES", 1 << 14)


def test_functions_take_turns_and_first_calls_do_not_count():
    called = []
    times = timing.seconds(lambda: called.append("a"), lambda: called.append("b"), repeats=2, runs=3)
    assert "".join(called) == "ab" + 3 * "aabb" and all(0 < t < 1 for t in times)
    assert timing.against(1.994, 2.0) == "**1.99**" and timing.against(2.0, 2.0) == "2.00"


@pytest.mark.parametrize("bits, spacer", [(1, False), (3, True), (8, False)])
def test_additions(bits, spacer, monkeypatch):
    assert all(ratio > 0 for ratio in additions.ratios(bits, spacer, 1000))
    monkeypatch.setattr(additions.packed.PackedArray, "__add__", lambda a, b: a)
    with pytest.raises(AssertionError):
        additions.ratios(bits, spacer, 1000)


@pytest.mark.parametrize("dtype, bits, axis", [("int8", 5, 1), ("int16", 9, 1), ("int8", 2, 0)])
def test_storage(dtype, bits, axis, monkeypatch):
    assert all(ratio > 0 for ratio in storage.ratios(dtype, bits, axis))
    monkeypatch.setattr(storage, "unpack_into", lambda x, *_: x.fill(0))
    with pytest.raises(AssertionError):
        storage.ratios(dtype, bits, axis)


@pytest.mark.parametrize("w_bits", [2, 8])
def test_vectors(w_bits, monkeypatch):
    found = list(vectors.layers(w_bits, 1))
    assert [bits for bits, *_ in found] == list(vectors.A_WIDTHS)
    for _, call, scheme, count in found:
        assert call().shape == (count // 128,) and count * w_bits == 8 << 14
        assert scheme == "int8" if w_bits == 8 else scheme in SCHEMES
    monkeypatch.setattr(vectors.packed.Linear, "__call__", lambda self, x: np.zeros(self._product.filters, np.int32))
    with pytest.raises(AssertionError):
        list(vectors.layers(w_bits, 1))


def test_the_reader_reads_every_part(monkeypatch):
    read, nbytes = vectors.reader(2)
    assert nbytes == 2 << 14
    parts = []
    split = vectors.np.split
    monkeypatch.setattr(vectors.np, "split", lambda *arguments: [Part(part, parts) for part in split(*arguments)])
    read, nbytes = vectors.reader(4)
    read()
    assert sum(parts) == nbytes


class Part:
    """Notes the bytes that were read of it."""

    def __init__(self, words, read):
        self.max = lambda: read.append(words.nbytes)


@pytest.mark.parametrize("a_bits, w_bits", [(0, 0), (2, 0), (3, 2)])
def test_our_layer_and_its_rates(a_bits, w_bits, monkeypatch):
    x, w, a, layer = layers.our_layer(a_bits, w_bits, "planes", 16, 5)
    np.testing.assert_array_equal(a.unpack(), x)
    assert set(np.unique(x)) == ({-1, 1} if not a_bits else set(range(1 << a_bits))) and w.shape == (16, 16, 3, 3)
    assert len(layers.our_rates(a_bits, w_bits, "planes", 1, [(16, 5), (16, 3)])) == 2
    wrong = lambda *_: (x, w, a, lambda a, threads: layer(a, threads=threads) + 1)  # noqa: E731
    monkeypatch.setattr(layers, "our_layer", wrong)
    with pytest.raises(AssertionError):
        layers.our_rates(a_bits, w_bits, "planes", 1, [(16, 5)])


def test_bytes_of_weights():
    (text,) = memory.section(1)
    row = next(line for line in text.splitlines() if "512×512×3×3 | 3 " in line)
    assert "| 884736 | 1.042 | 1.000 | 0.00 |" in row


def test_a_mean_of_ratios_and_names():
    assert products._mean(np.array([2.0, 8.0]), np.array([1.0, 1.0])) == pytest.approx(4.0)
    assert (products._name(0), products._name(3)) == ("bipolar", "3")


def test_one_section_of_the_page_is_written_anew(tmp_path: Path):
    page = tmp_path / "P.md"
    command.put_into(page, "Lane arithmetic", "first", "| machine |")
    command.put_into(page, "Memory", "bytes", "| machine |")
    command.put_into(page, "Lane arithmetic", "second", "| other machine |")
    text = page.read_text()
    assert "first" not in text and "| machine |" not in text and text.count("| other machine |") == 1
    # In the order of the command, not that in which they were written.
    assert text.index("## Memory\n\nbytes") < text.index("## Lane arithmetic\n\nsecond")
