"""C: compiled under many flags it rounds once an operation, as the emulation does. CUDA: text, and nvcc where found."""

import ctypes
import itertools
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import winograd as wg
from error_analysis.emulation.arithmetic import Emulated

GCC = shutil.which("gcc")
NVCC = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/bin:/usr/local/cuda/bin")
DTYPES = {"float32": np.float32, "float64": np.float64}
CTYPES = {"float32": "float", "float64": "double"}

# What gcc and clang are asked; without the barrier in the text, the second already changes bits on a CPU with fma.
FLAGS = {
    "plain": ["-O0"],
    "contracted": ["-O3", "-march=native", "-ffp-contract=fast"],
    "c99": ["-O2", "-std=c99", "-march=native"],
    "unrolled": ["-O3", "-march=native", "-ffp-contract=fast", "-funroll-loops", "-fno-trapping-math"],
}
TRANSFORMS = {
    "f23": (2, "0, 1, -1, inf"),
    "f43": (4, "0, 1, -1, 1/2, -2, inf"),
    "f63": (6, "0, 1, -1, 2, -2, 1/2, -1/2, inf"),
    "roots": (4, "0, sqrt(2), -sqrt(2), 1/sqrt(2), -1/sqrt(2), inf"),
}
VARIANTS = {"left": ("left", ()), "shared": ("huffman", ("share", "factor")), "fused": ("sorted", ("share", "fuse"))}


def programs() -> dict[str, wg.Program]:
    chosen = {}
    for (size, (m, points)), (variant, (order, passes)) in itertools.product(TRANSFORMS.items(), VARIANTS.items()):
        T = wg.toom_cook(m, 3, wg.parse_points(points))
        for matrix in ("AT", "G", "BT"):
            chosen[f"{size}_{variant}_{matrix.lower()}"] = T.program(matrix, order, passes)
    return chosen


PROGRAMS = programs()


def source(dtype: str) -> str:
    """Every program as a C function, and a loop over tiles around each that the library exports."""
    texts = []
    for name, program in PROGRAMS.items():
        ctype = CTYPES[dtype]
        texts += [
            program.to_c(dtype, name),
            f"void many_{name}(const {ctype} *x, {ctype} *y, ptrdiff_t tiles)\n"
            f"{{ for (ptrdiff_t t = 0; t < tiles; t++) {name}(x + t, tiles, y + t, tiles); }}\n",
        ]
    return "\n".join(texts)


def compiled(compiler: str, dtype: str, flags: list[str], folder: Path) -> ctypes.CDLL:
    text, library = folder / f"{dtype}.c", folder / f"{dtype}.so"
    text.write_text(source(dtype), encoding="utf-8")
    command = [compiler, *flags, "-Wall", "-Werror", "-shared", "-fPIC", str(text), "-o", str(library), "-lm"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return ctypes.CDLL(str(library))


def inputs(count: int, dtype: str, tiles: int = 300) -> np.ndarray:
    """Uniform numbers, numbers of very different size, subnormal ones and zeros of both signs."""
    generator = np.random.default_rng(1)
    kind = DTYPES[dtype]
    info = np.finfo(kind)
    uniform = generator.uniform(-1, 1, (count, tiles)).astype(kind)
    spread = uniform * kind(2) ** generator.integers(info.minexp // 2, info.maxexp // 2, (count, tiles)).astype(kind)
    tiny = (generator.integers(-5000, 5000, (count, tiles)) * np.float64(info.smallest_subnormal)).astype(kind)
    zeros = np.where(uniform > 0, kind(0), kind(-0.0))
    zeros[0] = uniform[0]
    return np.concatenate([uniform, spread, tiny, zeros], axis=1)


def run(library: ctypes.CDLL, name: str, x: np.ndarray, outputs: int) -> np.ndarray:
    y = np.empty((outputs, x.shape[1]), x.dtype)
    function = getattr(library, f"many_{name}")
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ssize_t]
    function(x.ctypes.data, y.ctypes.data, x.shape[1])
    return y


def bits(a: np.ndarray) -> np.ndarray:
    return a.view(f"u{a.itemsize}")


def differing(library: ctypes.CDLL, dtype: str) -> list[str]:
    """Programs for which one output of one tile differs in one bit from the emulation."""
    found = []
    for name, program in PROGRAMS.items():
        x = inputs(program.inputs, dtype)
        with np.errstate(all="ignore"):
            expected = np.array(wg.evaluate(program, list(x), Emulated(dtype)))
        if not np.array_equal(bits(run(library, name, x, len(program.outputs))), bits(expected)):
            found.append(name)
    return found


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_compiled_text_agrees_bit_for_bit_with_the_emulation(
    compiler: str, dtype: str, flags: str, tmp_path: Path
) -> None:
    found = shutil.which(compiler)
    if found is None:
        pytest.skip(f"{compiler} is not installed")
    assert differing(compiled(found, dtype, FLAGS[flags], tmp_path), dtype) == []


@pytest.mark.skipif(GCC is None, reason="gcc is not installed")
def test_without_the_barrier_contraction_would_change_bits(tmp_path: Path) -> None:
    """So the test above can fail."""
    macros = subprocess.run(
        ["gcc", "-march=native", "-dM", "-E", "-x", "c", "/dev/null"], capture_output=True, text=True, check=True
    ).stdout
    if "__FMA__" not in macros and "__aarch64__" not in macros:
        pytest.skip("this CPU has no fma instruction to contract into")
    flags = [*FLAGS["contracted"], "-DWINOGRAD_ROUNDED(type, p)="]
    assert "f43_left_bt" in differing(compiled("gcc", "float32", flags, tmp_path), "float32")


@pytest.mark.skipif(GCC is None, reason="gcc is not installed")
@pytest.mark.parametrize("flag", ["-ffast-math", "-Ofast"])
def test_fast_math_is_refused(flag: str, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refusal:
        compiled("gcc", "float32", [flag], tmp_path)
    assert "fast-math reorders sums" in refusal.value.stderr


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_the_text_is_cplusplus_too(tmp_path: Path) -> None:
    text = tmp_path / "transforms.cpp"
    text.write_text(source("float32"), encoding="utf-8")
    command = ["g++", "-std=c++17", "-Wall", "-Werror", "-fsyntax-only", str(text)]
    subprocess.run(command, check=True, capture_output=True, text=True)


@pytest.mark.skipif(GCC is None, reason="gcc is not installed")
def test_strides_and_one_array_for_both(tmp_path: Path) -> None:
    """A 6 x 6 tile in place: by columns, then by rows, as the emulation of two dimensions does."""
    program = PROGRAMS["f43_shared_bt"]
    text = tmp_path / "tile.c"
    body = "for (int j = 0; j < 6; j++) bt(a + j, 6, a + j, 6); for (int i = 0; i < 6; i++) bt(a + 6*i, 1, a + 6*i, 1);"
    text.write_text(f"{program.to_c('float32', 'bt')}\nvoid tile(float *a) {{ {body} }}\n", encoding="utf-8")
    library = tmp_path / "tile.so"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", str(text), "-o", str(library)], check=True)
    tile = np.random.default_rng(2).uniform(-1, 1, (6, 6)).astype(np.float32)
    columns = np.array(wg.evaluate(program, list(tile), Emulated("float32")))
    expected = np.array(wg.evaluate(program, list(columns.T), Emulated("float32"))).T
    ctypes.CDLL(str(library)).tile(ctypes.c_void_p(tile.ctypes.data))
    assert np.array_equal(bits(tile), bits(np.ascontiguousarray(expected)))


@pytest.mark.parametrize("rendered", ["to_c", "to_cuda"])
def test_head_says_what_it_is(rendered: str) -> None:
    T = wg.toom_cook(6, 3, wg.parse_points(TRANSFORMS["f63"][1]))
    text = getattr(T.program("BT", "huffman", ["share", "factor"]), rendered)("float32", "bt")
    head = text[: text.index("*/")].splitlines()
    assert head[0] == "/* BT of F(6, 3), points 0, 1, -1, 2, -2, 1/2, -1/2, inf"
    assert head[1].startswith(" * order huffman: 24 additions, 13 multiplications")
    assert head[2].startswith(" *   share: ") and head[3].startswith(" *   factor: ")
    assert "--matrix BT" in head[4] and "--dtype float32 --name bt" in head[4]


@pytest.mark.parametrize("rendered", ["to_c", "to_cuda"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_constants_are_the_rounded_ones_and_name_their_exact_value(rendered: str, dtype: str) -> None:
    text = getattr(PROGRAMS["roots_left_g"], rendered)(dtype, "g")
    literals = re.findall(r"c\d+ = (\S+?)f?; /\* (.*) \*/", text)
    assert len(literals) >= 4
    for literal, exact in literals:
        assert float.fromhex(literal) == float(wg.round_exact(exact, dtype))


@pytest.mark.parametrize("rendered", ["to_c", "to_cuda"])
@pytest.mark.parametrize(
    ("dtype", "name", "message"),
    [
        ("float16", "g", "dtype must be float32 or float64 in C"),
        ("int32", "g", "dtype must be one of"),
        ("float32", "a b", "name must be an ASCII identifier"),
        ("float32", "float", "name must be an ASCII identifier"),
        ("float32", "", "name must be an ASCII identifier"),
    ],
)
def test_what_c_cannot_take_is_refused(rendered: str, dtype: str, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(PROGRAMS["f23_left_g"], rendered)(dtype, name)


def test_a_constant_beyond_the_format_is_refused() -> None:
    program = wg.foreign_program(1, [("mul", 0, 2**130)], [1])
    with pytest.raises(OverflowError, match="exceeds the largest float32"):
        program.to_c("float32")
    assert "0x1.0000000000000p+130;" in program.to_c("float64")


def test_a_title_cannot_end_the_comment() -> None:
    program = wg.foreign_program(1, [("mul", 0, Fraction(1, 3))], [1], title="evil */ #error")
    assert program.to_c().count("*/ #error") == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_cuda_uses_only_intrinsics_that_are_never_contracted(dtype: str) -> None:
    letter, suffix = ("f", "f") if dtype == "float32" else ("d", "")
    for program in PROGRAMS.values():
        text = program.to_cuda(dtype, "f")
        body = text[text.index("{") :]
        counts = program.counts()
        assert body.count(f"__{letter}add_rn(") + body.count(f"__{letter}sub_rn(") == counts.additions
        assert body.count(f"__{letter}mul_rn(") == counts.multiplications
        assert body.count(f"__fma{suffix}_rn(") == counts.fmas
        # Outside of array indices, no operator is left to contract.
        assert not re.search(r"[+*/] ", re.sub(r"\[\d+ \* s[xy]\]|/\*.*?\*/", "", body))


@pytest.mark.skipif(NVCC is None, reason="nvcc is not installed: the CUDA text is checked as text only")
def test_cuda_compiles_to_one_rounded_instruction_an_operation(tmp_path: Path) -> None:
    names = ["f63_shared_bt", "f43_fused_bt"]
    text = "\n".join(PROGRAMS[name].to_cuda("float32", name) for name in names)
    for name in names:
        arguments = "(x + threadIdx.x, 32, y + threadIdx.x, 32)"
        text += f'\nextern "C" __global__ void run_{name}(const float *x, float *y) {{ {name}{arguments}; }}\n'
    (tmp_path / "transform.cu").write_text(text, encoding="utf-8")
    command = [str(NVCC), "-ptx", "-fmad=true", str(tmp_path / "transform.cu"), "-o", str(tmp_path / "transform.ptx")]
    subprocess.run(command, check=True, capture_output=True, text=True)
    entries = (tmp_path / "transform.ptx").read_text(encoding="utf-8").split(".entry ")[1:]
    assert len(entries) == len(names)
    for entry in entries:
        name = next(n for n in names if entry.startswith(f"run_{n}("))
        counts = PROGRAMS[name].counts()
        instructions = re.findall(r"\b(add|sub|mul|fma)\.rn\.f32", entry)
        assert instructions.count("fma") == counts.fmas
        assert instructions.count("mul") == counts.multiplications
        assert instructions.count("add") + instructions.count("sub") == counts.additions
        assert "ftz" not in entry
