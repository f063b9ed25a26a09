"""Direct convolution: where the image is read itself, and where what is read lies in the cache."""

import numpy as np
import pytest

import kernels.direct
import kernels.direct_schedule
from kernels import Conv2d
from kernels.cost import SET_BYTES, forget_schedules
from kernels.direct_schedule import DirectSchedule

NEVER = DirectSchedule(1, 1, 1, float("inf"))

# Input, filter and options: outputs that fill vectors and not, rows that follow each other and not, blocks that end
# with the image and not.
LAYERS = {
    "one tap": ((2, 37, 9, 13), (45, 37, 1, 1), {}),
    "one tap, many columns": ((1, 5, 40, 56), (70, 5, 1, 1), {}),
    "rows skipped": ((1, 6, 11, 33), (3, 6, 1, 1), {"stride": (2, 1)}),
    "taps": ((2, 7, 12, 50), (9, 7, 3, 3), {"relu": True}),
    "strided rows, dilated columns": ((1, 4, 21, 39), (17, 4, 2, 3), {"stride": (3, 1), "dilation": (2, 5)}),
    "groups": ((3, 12, 8, 17), (20, 3, 1, 2), {"groups": 4}),
}


@pytest.fixture
def on_planes(monkeypatch):
    monkeypatch.setattr(kernels.direct, "pixels_schedule", lambda problem: NEVER)
    forget_schedules()
    yield
    forget_schedules()


def computed(monkeypatch, in_place, x, w, options):
    """The result, and whether the plan says that the image is read in place."""
    for module in (kernels.direct, kernels.direct_schedule):
        monkeypatch.setattr(module, "is_read_in_place", in_place)
    forget_schedules()
    layer = Conv2d(w, algorithm="direct", threads=2, **options)
    y = layer(x)
    (call,) = layer._calls.values()
    return y, call.plan.fields["IN_PLACE"]


@pytest.mark.usefixtures("on_planes")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_reading_in_place_changes_no_bit(monkeypatch, name, dtype):
    shape, w_shape, options = LAYERS[name]
    random = np.random.default_rng(4)
    x, w = random.uniform(-1, 1, shape).astype(dtype), random.uniform(-1, 1, w_shape).astype(dtype)
    options = options | {"bias": random.uniform(-1, 1, w_shape[0]).astype(dtype)}
    y, is_in_place = computed(monkeypatch, kernels.direct_schedule.is_read_in_place, x, w, options)
    copied, is_copied_in_place = computed(monkeypatch, lambda problem: False, x, w, options)
    assert (is_in_place, is_copied_in_place) == (1, 0)
    np.testing.assert_array_equal(y, copied)


@pytest.mark.usefixtures("on_planes")
@pytest.mark.parametrize("shape, options", [((1, 4, 9, 9), {"padding": 1}), ((1, 4, 9, 9), {"stride": 2}),
                                            ((1, 64, 512, 512), {})])
def test_images_that_do_not_serve_are_copied(shape, options):
    """Those that need zeros around them, columns sorted, or are too large for a shared cache."""
    layer = Conv2d(np.ones((2, shape[1], 1, 1), np.float32), algorithm="direct", **options)
    layer(np.ones(shape, np.float32))
    (call,) = layer._calls.values()
    assert call.plan.fields["IN_PLACE"] == 0


@pytest.mark.parametrize("channels, stride", [(512, 2), (1024, 1), (256, 4), (341, 3)])
def test_pixels_of_neighbouring_outputs_lie_in_different_sets_of_the_cache(monkeypatch, channels, stride):
    monkeypatch.setattr(kernels.direct, "has_planes", lambda problem: False)
    layer = Conv2d(np.ones((4, channels, 1, 1), np.float32), stride=stride, padding=1, algorithm="direct")
    layer(np.ones((1, channels, 6, 6), np.float32))
    (call,) = layer._calls.values()
    assert channels <= call.plan.fields["PIXEL"] and stride * call.plan.fields["PIXEL"] * 4 % SET_BYTES != 0
