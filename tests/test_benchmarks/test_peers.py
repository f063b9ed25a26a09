import numpy as np
import pytest

from convolution import peers
from convolution.contestants import OURS, own
from convolution.exactness import Judge, drawn
from convolution.shape import Shape

SHAPES = [
    Shape(4, 6, (9, 8), (3, 3)),
    Shape(3, 5, (10, 11), (7, 7), 2),
    Shape(4, 8, (7, 7), (1, 1), 2),
    Shape(6, 6, (8, 8), (3, 3), 2, groups=6),
    Shape(5, 4, (8, 9), (1, 7)),
    Shape(3, 4, (40,), (7,)),
    Shape(1, 4, (41,), (10,), 5, (0,)),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("batch", [1, 2])
def test_all_that_are_installed_and_ours_agree(shape: Shape, batch: int) -> None:
    x, w = drawn(shape, batch)
    judge = Judge(x, w, shape)
    found = [*peers.peers(x, w, shape, 1), *(own(name, x, w, shape, 1) for name in OURS)]
    assert {"torch NCHW", "torch NHWC", *OURS} <= {contestant.name for contestant in found}  # of the test packages
    for contestant in found:
        judge.error(contestant.name, contestant.array(contestant.call()), contestant.algorithm)


@pytest.mark.parametrize("peer", peers.PACKAGES)
def test_a_peer_runs_where_it_is_installed(peer: str) -> None:
    x, w = drawn(SHAPES[0], 1)
    names = {contestant.name for contestant in peers.peers(x, w, SHAPES[0], 1)}
    assert (set(peers.NAMES[peer]) <= names) == peers.is_installed(peer)
    assert any(line.startswith(f"{peer} is left out") for line in peers.missing()) != peers.is_installed(peer)


def test_ncnn_is_asked_only_where_it_has_a_winograd() -> None:
    for shape, batch in [*((shape, 1) for shape in SHAPES[1:]), (SHAPES[0], 2)]:
        x, w = drawn(shape, batch)
        assert "ncnn" not in {contestant.name for contestant in peers.peers(x, w, shape, 1)}


def test_a_missing_peer_is_left_out_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert peers.missing() == [
        "PyTorch is left out: pip install torch",
        "ncnn is left out: pip install ncnn",
        "onnxruntime is left out: pip install onnx onnxruntime",
    ]
    assert not list(peers.peers(*drawn(SHAPES[0], 1), SHAPES[0], 1))


def test_channels_last_is_what_it_says() -> None:
    x, w = drawn(SHAPES[0], 1)
    contestant = own("winograd NHWC", x, w, SHAPES[0], 1)
    assert contestant.call().shape == (1, 9, 8, 6)
    assert contestant.array(contestant.call()).shape == (1, 6, 9, 8)
    assert contestant.filter_s > 0
    assert np.isnan(peers.torch_contestant(x, w, SHAPES[0], 1, last=True).filter_s)
