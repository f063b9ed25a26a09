"""Depthwise tiles of outputs against a dull sum, bit for bit, in memory that ends where what they may read ends."""

import itertools

import numpy as np
import pytest

from error_analysis.emulation.arithmetic import fma
from kernels.compilation import header, load_module
from kernels.depthwise_text import Unrolled, pixels_text, planes_text, unrolled
from kernels.host import host

# What is unrolled, rows and columns of the tile, dtype: each is compiled.
PIXELS = {
    "3 x 3": (Unrolled((3, 3), (1, 1), (1, 1)), 2, 3, np.float32),
    "stride and dilation": (Unrolled((2, 3), (2, 3), (3, 1)), 2, 2, np.float64),
    "a row of taps": (Unrolled((1, 3), (1, 1), (1, 2)), 1, 4, np.float32),
}
PLANES = {
    "3 x 3": (Unrolled((3, 3), (1, 1), (1, 1)), 3, 1, np.float32),
    "stride 2": (Unrolled((3, 3), (2, 2), (1, 1)), 2, 1, np.float32),
    "stride 2 and dilation": (Unrolled((2, 3), (1, 2), (2, 3)), 2, 1, np.float64),
    "a row of taps": (Unrolled((1, 4), (1, 1), (1, 3)), 1, 2, np.float32),
}
ENDS = list(itertools.product([False, True], repeat=2))  # whether there is a bias, and relu


def compiled(text, part, down, across, dtype):
    length = host().tile(dtype).length
    return load_module(f"{header(length)}\nLENGTH = {length}\n\n{text(part, down, across)}", "test_depthwise"), length


@pytest.fixture(scope="module", params=PIXELS)
def pixels(request):
    return *compiled(pixels_text, *PIXELS[request.param]), *PIXELS[request.param]


@pytest.fixture(scope="module", params=PLANES)
def planes(request):
    return *compiled(planes_text, *PLANES[request.param]), *PLANES[request.param]


def dull_sums(part, X, u, down, across):
    """Outputs [row][column] of X[slice][row][column], zeros included, and filters u[slice][row][column]."""
    sums = np.zeros((down, across, *X.shape[3:]), X.dtype)
    for s, a, b in np.ndindex(u.shape[:3]):
        rows = np.arange(down) * part.stride[0] + a * part.dilation[0]
        columns = np.arange(across) * part.stride[1] + b * part.dilation[1]
        sums = fma(X[s][rows][:, columns], u[s, a, b], sums)
    return sums


def finished(sums, bias, relu):
    sums = sums if bias is None else sums + bias
    return np.where(sums < 0, sums.dtype.type(0), sums) if relu else sums


def bits(array):
    return np.ascontiguousarray(array).view(f"i{array.itemsize}")


def reach(part, axis, outputs):
    return (outputs - 1) * part.stride[axis] + (part.taps[axis] - 1) * part.dilation[axis] + 1


def placed(guarded, images, pitch, at_start):
    """Rows of numbers in guarded memory, `pitch` apart, NaN between them; no row is longer than that."""
    count, width = images.reshape(-1, images.shape[-1]).shape
    memory = guarded((count - 1) * pitch + width, images.dtype, at_start)
    memory[:] = np.nan
    for row, numbers in enumerate(images.reshape(-1, width)):
        memory[row * pitch : row * pitch + width] = numbers
    return memory


def lines_of(part, down, top, slices, depth, height, pitch, front):
    """[slice][line]: where rows lie; slice s is number front + s of `depth`, and its rows begin with number top."""
    return np.array([
        (z * height + row) * pitch if 0 <= z < depth and 0 <= row < height else -1
        for z in range(front, front + slices) for row in (top + line for line in part.lines(down, 0))
    ])


def padded(images, before, sizes):
    """The window of `sizes` that begins at -before of each axis of the images, zeros outside."""
    window = np.zeros((*sizes, *images.shape[3:]), images.dtype)
    ranges = [
        [(i, i - b) for i in range(size) if 0 <= i - b < n]
        for b, size, n in zip(before, sizes, images.shape[:3], strict=True)
    ]
    for places in itertools.product(*ranges):
        window[tuple(i for i, _ in places)] = images[tuple(i for _, i in places)]
    return window


# Numbers that lie before the image: of slices, rows and columns. With a large one nothing is inside.
BEFORE = [(0, 0, 0), (1, 1, 2), (0, 2, 0), (-1, -1, -1), (0, 0, 40), (0, 40, 0)]


@pytest.mark.parametrize("before", BEFORE)
def test_pixels_are_the_dull_sums(pixels, guarded, before):
    module, length, part, down, across, dtype = pixels
    rng = np.random.default_rng(1)
    for chunks, slices, (biased, relu), at_start in zip((1, 2, 3, 2), (2, 1, 3, 2), ENDS, (0, 1, 0, 1), strict=True):
        # One slice, row and column less than the tile would read: what is not before the image is behind it.
        depth, height, width = max(1, slices - 1), reach(part, 0, down), reach(part, 1, across) - 1
        step = chunks * length
        X = rng.standard_normal((depth, height, width * step)).astype(dtype)
        pitch = width * step + 3
        x = placed(guarded, X, pitch, at_start)
        u = rng.standard_normal((chunks, slices, *part.taps, length)).astype(dtype)
        gap = u[0].size + 5
        U = np.full(4 + chunks * gap, np.nan, dtype)
        for chunk in range(chunks):
            U[4 + chunk * gap :][: u[0].size] = u[chunk].ravel()
        bias = rng.standard_normal(2 + chunks * length).astype(dtype)
        lines = lines_of(part, down, -before[1], slices, depth, height, pitch, -before[0])
        window = padded(X.reshape(depth, height, width, chunks, length), before,
                        (slices, height, reach(part, 1, across)))
        want = np.stack([dull_sums(part, window[:, :, :, c], u[c], down, across) for c in range(chunks)], 2)
        want = finished(want, bias[2:].reshape(chunks, length) if biased else None, relu)
        for rows, columns in {(down, across), (1, across), (down, 1), (down + 1, across + 1)}:
            out_step, out_row = step + 1, across * (step + 1) + 2
            out = np.full((down + 1) * out_row, 77, dtype)
            module.pixel_tile(x, -before[2] * step, step, -before[2], width, lines, slices, U, 4, gap, bias, 2, biased,
                              relu, out, 3, out_step, out_row, rows, columns, chunks)
            expected = np.full_like(out, 77)
            for i, j in np.ndindex(min(rows, down), min(columns, across)):
                expected[3 + i * out_row + j * out_step :][:step] = want[i, j].ravel()
            np.testing.assert_array_equal(bits(out), bits(expected))


def plane_case(rng, planes, guarded, before, width, slices, at_start):
    """Of a tile: the arguments that place x, w and bias, and the sums, without bias."""
    _, length, part, down, across, dtype = planes
    columns = across * length
    depth, height = max(1, slices - 1), reach(part, 0, down)
    X = rng.standard_normal((depth, height, width)).astype(dtype)
    pitch = width + 3
    x = placed(guarded, X, pitch, at_start)
    u = rng.standard_normal((slices, *part.taps)).astype(dtype)
    w = np.concatenate([np.full(4, np.nan), u.ravel()]).astype(dtype)
    lines = np.concatenate([[2**60], lines_of(part, down, -before[1], slices, depth, height, pitch, -before[0])])
    window = padded(X, before, (slices, height, reach(part, 1, columns)))
    arguments = (x, -before[2], before[2], before[2] + width, lines, 1, slices, w, 4)
    return arguments, dull_sums(part, window, u, down, columns)


def assert_written(function, planes, arguments, sums, rows, columns, biased, relu):
    _, length, _, down, across, dtype = planes
    bias = np.array([np.nan, np.nan, -0.37], dtype)
    out_row = across * length + 2
    out = np.full((down + 1) * out_row, 77, dtype)
    function(*arguments, bias, 2, biased, relu, out, 3, out_row, rows, columns)
    expected = np.full_like(out, 77)
    want = finished(sums, bias[2] if biased else None, relu)
    for i in range(min(rows, down)):
        expected[3 + i * out_row :][: min(columns, across * length)] = want[i, :columns]
    np.testing.assert_array_equal(bits(out), bits(expected))


@pytest.mark.parametrize("before", BEFORE)
def test_edges_of_planes_are_the_dull_sums(planes, guarded, before):
    module, length, part, down, across, _ = planes
    rng = np.random.default_rng(2)
    whole = across * length
    widths = (reach(part, 1, whole) - 1, 1, length + 1, module.plane_reach + 5)
    for width, slices, (biased, relu), at_start in zip(widths, (2, 1, 3, 2), ENDS, (0, 1, 0, 1), strict=True):
        arguments, sums = plane_case(rng, planes, guarded, before, width, slices, at_start)
        for rows, columns in {(down, whole), (1, whole - 1), (down, 1), (down + 1, length), (down, whole + 3)}:
            assert_written(module.plane_edge, planes, arguments, sums, rows, columns, biased, relu)


@pytest.mark.parametrize("before", [place for place in BEFORE if place[2] == 0])
def test_insides_of_planes_are_the_dull_sums_and_read_no_further_than_they_say(planes, guarded, before):
    module, length, _, down, across, _ = planes
    rng = np.random.default_rng(3)
    for slices, (biased, relu), at_start in zip((2, 1, 3, 2), ENDS, (0, 1, 0, 1), strict=True):
        arguments, sums = plane_case(rng, planes, guarded, before, module.plane_reach, slices, at_start)
        for rows in {1, down, down + 1}:
            assert_written(module.plane_tile, planes, arguments, sums, rows, across * length, biased, relu)


def test_a_sum_of_negative_zeros_is_positive_zero_and_nan_stays(planes):
    module, length, part, down, across, dtype = planes
    lines = np.arange(len(part.lines(down, 0))) * module.plane_reach
    u, bias = np.ones(part.taps, dtype).ravel(), np.array([-0.0], dtype)
    out = np.empty(down * across * length, dtype)
    for number in (-0.0, np.nan):
        x = np.full(module.plane_reach * len(lines), number, dtype)
        for function in (module.plane_tile, module.plane_edge):
            out[:] = 77
            function(x, 0, 0, module.plane_reach, lines, 0, 1, u, 0, bias, 0, True, True, out, 0, across * length, down,
                     across * length)
            assert np.isnan(out).all() if np.isnan(number) else not (out.any() or np.signbit(out).any())


def test_big_filters_are_unrolled_row_by_row():
    assert unrolled((5, 5), (2, 1), (3, 2), 16) == Unrolled((5, 5), (2, 1), (3, 2))
    assert unrolled((5, 5), (2, 1), (3, 2), 17) == Unrolled((1, 5), (1, 1), (1, 2))
    assert unrolled((1, 3), (2, 2), (3, 2), 2) == Unrolled((1, 3), (1, 2), (1, 2)), "nothing hangs on the rows' options"


def test_lines_are_the_rows_that_outputs_read():
    assert Unrolled((3, 1), (2, 1), (1, 1)).lines(2, 0) == [0, 1, 2, 3, 4]
    assert Unrolled((2, 3), (1, 3), (4, 2)).lines(2, 0) == [0, 1, 4, 5]
    assert Unrolled((2, 3), (1, 3), (4, 2)).lines(2, 1) == [0, 2, 3, 4, 5, 7]


def test_the_text_loads_each_input_once_and_has_one_fma_for_each_term():
    text = pixels_text(Unrolled((3, 3), (1, 1), (1, 1)), 2, 7)
    assert text.count("fma(") == 2 * 7 * 9 and text.count("load_if(") == (2 + 2) * (7 + 2)
    tile, edge = planes_text(Unrolled((3, 3), (1, 2), (1, 1)), 7, 1).split("def plane_edge")
    assert tile.count("fma(") == edge.count("fma(") == 7 * 9
    assert tile.count("load(x") == edge.count("load_between(x") == (7 + 2) * 4


def test_other_strides_along_a_row_are_refused():
    with pytest.raises(ValueError, match=r"stride along a row must be 1 or 2; got 3\."):
        planes_text(Unrolled((1, 3), (1, 3), (1, 1)), 1, 4)
