"""Vectors of words: each instruction against NumPy's uint64, unaligned reading and writing, and what is refused."""

import numpy as np
import pytest
from numba.core.errors import TypingError

from kernels.compilation import load_module
from kernels.packed.staging import word_header
from kernels.packed.words import popcount, word_ops

SIGNS = ("&", "|", "^", "+", "-", "*")


def compiled(body, length=4):
    text = word_header().replace("LENGTH = ", f"LENGTH = {length} #")
    return load_module(f"{text}\n\n{body}", "words test")


def random_words(seed, size):
    return np.random.default_rng(seed).integers(0, 1 << 64, size, np.uint64, endpoint=False)


@pytest.mark.parametrize("length", [2, 4, 8, 16])
@pytest.mark.parametrize("sign", SIGNS)
def test_instructions(sign, length):
    module = compiled(
        f"@kernel\ndef run(a, b, c, out):\n"
        f"    x = load(a, 0) {sign} load(b, 0)\n"
        f"    x {sign}= c\n"
        f"    store(out, 0, c {sign} x)\n",
        length,
    )
    a, b = random_words(1, length), random_words(2, length)
    c, out = np.uint64(0x123456789ABCDEF1), np.empty(length, np.uint64)
    module.run(a, b, c, out)
    operate = getattr(np, {"&": "bitwise_and", "|": "bitwise_or", "^": "bitwise_xor"}.get(sign, ""), None)
    operate = operate or {"+": np.add, "-": np.subtract, "*": np.multiply}[sign]
    assert np.array_equal(out, operate(np.full(length, c), operate(operate(a, b), c)))


@pytest.mark.parametrize("kind", [np.int64, np.uint64, np.int32, np.uint8])
def test_shifts_by_any_integer(kind):
    module = compiled("@kernel\ndef run(a, k, out):\n    store(out, 0, (load(a, 0) << k) ^ (load(a, 4) >> k))\n")
    a, out = random_words(3, 8), np.empty(4, np.uint64)
    for k in (0, 1, 31, 63):
        module.run(a, kind(k), out)
        assert np.array_equal(out, (a[:4] << np.uint64(k)) ^ (a[4:] >> np.uint64(k)))


def test_population_count_of_everything():
    module = compiled(
        "@kernel\ndef run(a, out):\n    store(out, 0, popcount(load(a, 0)))\n    out[4] = popcount(a[4])\n"
    )
    a, out = random_words(4, 5), np.empty(5, np.uint64)
    module.run(a, out)
    assert out.tolist() == popcount(a).tolist() == [popcount(x) for x in a.tolist()]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32])
def test_unaligned_words(dtype):
    module = compiled(
        "@kernel\ndef run(x, start, stride, out):\n"
        "    scatter(out, start, stride, gather(x, start, stride))\n"
        "    poke(out, 0, peek(x, 1))\n"
        "    put(out, out.size - 1, get(x, 2))\n"
    )
    size = np.dtype(dtype).itemsize
    x = np.random.default_rng(5).integers(0, 100, 80).astype(dtype)
    out = np.zeros(80, dtype)
    module.run(x, 11, 9, out)
    expected = np.zeros(80, dtype)
    for k in range(4):
        expected[11 + 9 * k : 11 + 9 * k + 8 // size] = x[11 + 9 * k : 11 + 9 * k + 8 // size]
    expected[: 8 // size] = x[1 : 1 + 8 // size]
    expected[-1] = x[2]
    assert np.array_equal(out, expected)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("store(out, 0, load(out, 0) & 3)", "takes WordVectors and uint64"),
        ("store(out, 0, load(out, 0) << load(out, 0))", "takes WordVectors and uint64"),
        ("load(out.reshape(2, 4), 0)", "load takes a 1-D C-contiguous array"),
        ("gather(out[::2], 0, 1)", "gather takes a 1-D C-contiguous array"),
    ],
)
def test_what_is_refused(line, message):
    module = compiled(f"@kernel\ndef run(out):\n    {line}\n")
    with pytest.raises(TypingError, match=message):
        module.run(np.zeros(8, np.uint64))


def test_a_read_only_array_is_not_written():
    module = compiled("@kernel\ndef run(out):\n    store(out, 0, load(out, 0))\n")
    words = np.zeros(8, np.uint64)
    words.flags.writeable = False
    with pytest.raises(TypingError, match="store needs a writable array"):
        module.run(words)


def test_other_lengths_are_refused():
    with pytest.raises(ValueError, match="length must be 2, 4, 8 or 16; got 3"):
        word_ops(3)
