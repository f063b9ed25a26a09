"""A Program as a C function, and as a CUDA device function, that round once an operation whatever the flags.

C compilers contract `x * c + y` into one fma where the target has one: gcc by default, clang when asked to by
`-ffp-contract=fast`, which overrules `#pragma STDC FP_CONTRACT OFF` and `__arithmetic_fence`. So each product passes
through an empty piece of assembly that the compiler cannot see into. It costs no instruction, only vectorization
across calls. In CUDA, `__fmul_rn` and its kin are never contracted by definition.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable

from numpy.typing import DTypeLike

from winograd.exact import Exact
from winograd.program import Op, Program
from winograd.rendering.heading import heading_lines, value_names
from winograd.rounding import BinaryFormat, format_of

_TYPES = {"float32": ("float", "f"), "float64": ("double", "")}
_RESERVED = """
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
class delete namespace new operator private protected public template this throw virtual
fma fmaf ptrdiff_t WINOGRAD_ROUNDED
"""  # of C and C++, and what the text itself uses

_BARRIER = """\
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__)
#error "fast-math reorders sums: compile without -ffast-math, -Ofast and -fassociative-math"
#endif
#if FLT_EVAL_METHOD < 0 || {wide}
#error "{type} operations must round to {type}: compile for SSE2 or another unit without extra precision"
#endif
#ifndef WINOGRAD_ROUNDED
/* A product, as rounded: no compiler can contract it into the addition that follows, whatever -ffp-contract says. */
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__SSE2_MATH__))
#define WINOGRAD_ROUNDED(type, p) __asm__("" : "+x"(p))
#elif defined(__GNUC__) && defined(__aarch64__)
#define WINOGRAD_ROUNDED(type, p) __asm__("" : "+w"(p))
#elif defined(__GNUC__)
#define WINOGRAD_ROUNDED(type, p) __asm__("" : "+m"(p))
#else
#define WINOGRAD_ROUNDED(type, p) do {{ volatile type kept = (p); (p) = kept; }} while (0)
#endif
#endif
"""


def program_c(program: Program, dtype: DTypeLike = "float32", name: str = "transform") -> str:
    """`static inline void name(const float *x, ptrdiff_t sx, float *y, ptrdiff_t sy)` in C99 (or C++17).

    Reads input i at `x[i * sx]` and writes output i to `y[i * sy]`, so a two-dimensional tile is transformed by
    columns, then by rows. All inputs are read before any output is written: x and y may be the same array.

    Parameters
    ----------
    program : Program
    dtype : float32 or float64
        Type of inputs, outputs and constants.
    name : str
        Name of the function.

    Raises
    ------
    OverflowError
        If a constant exceeds the dtype.
    ValueError
        For another dtype, or a name that C cannot take.

    Rounding
    --------
    Each constant once, printed as an exact hexadecimal literal; each operation once, to nearest, under any
    optimisation and contraction flags of gcc and clang. Flags that give up IEEE arithmetic are refused by `#error`
    where the compiler tells (-ffast-math, x87 arithmetic); flushing subnormals to zero is not seen.

    Examples
    --------
    >>> from winograd import toom_cook
    >>> text = toom_cook(2, 3, [0, 1, -1, "inf"]).program("G").to_c("float32", "g")
    >>> print(text[text.index("static inline"):])
    static inline void g(const float *x, ptrdiff_t sx, float *y, ptrdiff_t sy)
    {
        const float c0 = 0x1.0000000000000p-1f; /* 1/2 */
        const float x0 = x[0 * sx];
        const float x1 = x[1 * sx];
        const float x2 = x[2 * sx];
        float t0 = x0 * c0; WINOGRAD_ROUNDED(float, t0);
        float t1 = x1 * c0; WINOGRAD_ROUNDED(float, t1);
        float t2 = x2 * c0; WINOGRAD_ROUNDED(float, t2);
        const float t3 = t0 + t1;
        const float t4 = t2 + t3;
        const float t5 = t0 - t1;
        const float t6 = t2 + t5;
        y[0 * sy] = x0;
        y[1 * sy] = t4;
        y[2 * sy] = t6;
        y[3 * sy] = x2;
    }
    <BLANKLINE>
    """
    target, ctype, suffix = _checked(dtype, name)

    def statement(result: str, op: Op, a: str, b: str, c: str) -> str:
        if op.kind == "mul":
            return f"{ctype} {result} = {a} * {c}; WINOGRAD_ROUNDED({ctype}, {result});"
        expression = {"add": f"{a} + {b}", "sub": f"{a} - {b}", "neg": f"-{a}", "fma": f"fma{suffix}({a}, {c}, {b})"}
        return f"const {ctype} {result} = {expression[op.kind]};"

    wide = "FLT_EVAL_METHOD == 1 || FLT_EVAL_METHOD == 2" if ctype == "float" else "FLT_EVAL_METHOD == 2"
    has_fma = any(op.kind == "fma" for op in program.ops)
    includes = ["#include <float.h>", *(["#include <math.h>"] if has_fma else []), "#include <stddef.h>", ""]
    head = [*_comment(heading_lines(program, "c", target.name, name)), *includes]
    head += _BARRIER.format(type=ctype, wide=wide).splitlines()
    return _function(program, target, head, f"static inline void {name}", statement)


def program_cuda(program: Program, dtype: DTypeLike = "float32", name: str = "transform") -> str:
    """`__device__ __forceinline__ void name(const float *x, ptrdiff_t sx, float *y, ptrdiff_t sy)`, as `program_c`.

    Parameters
    ----------
    program : Program
    dtype : float32 or float64
    name : str

    Raises
    ------
    OverflowError
        If a constant exceeds the dtype.
    ValueError
        For another dtype, or a name that C cannot take.

    Rounding
    --------
    Each constant once; each operation once, to nearest, by intrinsics that nvcc never contracts, whatever `-fmad`
    says. `-ftz=true`, which `-use_fast_math` implies, flushes float32 subnormals to zero: compile without.

    Source
    ------
    CUDA Math API, on `__fadd_rn`, `__fmul_rn` and their kin: never merged into a multiply-add. In PTX they are
    instructions with an explicit `.rn`, as a test shows, which later stages do not contract either (PTX ISA, `mul`).

    Examples
    --------
    >>> from winograd import foreign_program
    >>> text = foreign_program(2, [("fma", 0, "1/3", 1), ("sub", 2, 0)], [3]).to_cuda("float64", "f")
    >>> print(text[text.index("__device__"):])
    __device__ __forceinline__ void f(const double *x, ptrdiff_t sx, double *y, ptrdiff_t sy)
    {
        const double c0 = 0x1.5555555555555p-2; /* 1/3 */
        const double x0 = x[0 * sx];
        const double x1 = x[1 * sx];
        const double t0 = __fma_rn(x0, c0, x1);
        const double t1 = __dsub_rn(t0, x0);
        y[0 * sy] = t1;
    }
    <BLANKLINE>
    """
    target, ctype, suffix = _checked(dtype, name)
    letter = "f" if ctype == "float" else "d"

    def statement(result: str, op: Op, a: str, b: str, c: str) -> str:
        expression = {
            "add": f"__{letter}add_rn({a}, {b})",
            "sub": f"__{letter}sub_rn({a}, {b})",
            "mul": f"__{letter}mul_rn({a}, {c})",
            "neg": f"-{a}",
            "fma": f"__fma{suffix}_rn({a}, {c}, {b})",
        }[op.kind]
        return f"const {ctype} {result} = {expression};"

    head = [*_comment(heading_lines(program, "cuda", target.name, name)), "#include <stddef.h>", ""]
    return _function(program, target, head, f"__device__ __forceinline__ void {name}", statement)


def _checked(dtype: DTypeLike, name: str) -> tuple[BinaryFormat, str, str]:
    """The format, its C type, and the suffix of its literals and functions."""
    target = format_of(dtype)
    if target.name not in _TYPES:
        raise ValueError(f"dtype must be float32 or float64 in C, which has no narrower type; got {target.name}.")
    if not (name.isidentifier() and name.isascii()) or name in _RESERVED.split() or keyword.iskeyword(name):
        raise ValueError(f"name must be an ASCII identifier that C does not reserve; got {name!r}.")
    return target, *_TYPES[target.name]


def _comment(lines: list[str]) -> list[str]:
    # No title or constant may end the comment early.
    safe = [line.replace("*/", "* /") for line in lines]
    return ["/* " + safe[0], *(f" * {line}" for line in safe[1:]), " */"]


def _function(
    program: Program,
    target: BinaryFormat,
    head: list[str],
    signature: str,
    statement: Callable[[str, Op, str, str, str], str],
) -> str:
    ctype, suffix = _TYPES[target.name]
    value = value_names(program)
    constants: dict[Exact, str] = {}
    for op in program.ops:
        if op.constant is not None:
            constants.setdefault(op.constant, f"c{len(constants)}")
    body = []
    for c, text in constants.items():
        literal = float(program.rounded_constant(c, target.name)).hex()
        body.append(f"const {ctype} {text} = {literal}{suffix}; /* {c} */")
    body += [f"const {ctype} x{i} = x[{i} * sx];" for i in range(program.inputs)]
    for index, op in enumerate(program.ops):
        a, b = value(op.args[0]), value(op.args[-1])
        body.append(statement(f"t{index}", op, a, b, constants[op.constant] if op.constant is not None else ""))
    body += [f"y[{i} * sy] = {value(v)};" for i, v in enumerate(program.outputs)]
    parameters = f"(const {ctype} *x, ptrdiff_t sx, {ctype} *y, ptrdiff_t sy)"
    return "\n".join([*head, signature + parameters, "{", *(f"    {line}" for line in body), "}"]) + "\n"
