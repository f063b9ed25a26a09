"""The command: what it prints is what made it, and bad input is one line and exit code 2."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import sympy

import winograd as wg
from winograd.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
F43 = '"0, 1, -1, 1/2, -2, inf"'


def printed(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The output of a command that must succeed, run in this process."""
    assert main(shlex.split(command)) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out.removesuffix("\n")


def refused(command: str | list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr of a command that must be refused."""
    assert main(shlex.split(command) if isinstance(command, str) else command) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("python -m winograd: ") and captured.err.count("\n") == 1
    return captured.err.removeprefix("python -m winograd: ").strip()


def made_by(text: str) -> list[str]:
    """The commands that a text names, without `python -m winograd`."""
    lines = [line for line in text.splitlines() if "made by: " in line]
    return [line.partition("made by: python -m winograd ")[2] for line in lines]


def test_the_command_of_the_readme() -> None:
    """In a process of its own, once."""
    command = [sys.executable, "-m", "winograd", "4", "3", "--points", "0,1,-1,1/2,-2,inf"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.startswith("F(4, 3), points 0, 1, -1, 1/2, -2, inf\nAT =\n[ 1  1   1    1   1  0 ]\n")
    assert "proved: y[i] = sum_k d[i + k] g[k], the identity holds exactly, 72 coefficients" in done.stdout
    counts = wg.toom_cook(4, 3, wg.parse_points(F43.strip('"'))).program("BT").counts()
    assert f"  BT: {counts}\n" in done.stdout
    assert done.stderr == ""


def test_exit_code_of_the_process() -> None:
    done = subprocess.run([sys.executable, "-m", "winograd", "4"], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


GENERATORS = [
    "4 3",
    "2 3",
    f"4 3 --points {F43}",
    '1 2 --points "-1,0"',
    '4 3 --points "0, sqrt(2), -sqrt(2), 1/sqrt(2), -1/sqrt(2), inf"',
    '2 3 --points "0, c, -c, inf" --subs "c = 3/2"',
    '2 2 --points "0, 1/10, 0.3"',
    f"4 3 --points {F43} --fractions A",
    f'4 3 --points {F43} --fractions B --scale-a "1,2,1/2,4,1,1" --transpose',
    f'4 3 --points {F43} --scale-b "-1, 1, 1, 1/3, 1, 2"',
    '4 3 --moduli "x, x - 1, x + 1, x^2 + 1, inf"',
    '2 3 --moduli "x^2 - x/2 + 5, 2*x - 1, inf" --transpose',
]
OPTIONS = ["", "--order huffman --passes share,factor", "--order pairwise --passes share,fuse", "--passes transpose"]


@pytest.mark.parametrize(
    ("generator", "options"),
    [*((g, OPTIONS[i % len(OPTIONS)]) for i, g in enumerate(GENERATORS)), *((GENERATORS[3], o) for o in OPTIONS)],
)
def test_every_text_names_the_command_that_prints_it(
    generator: str, options: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for format in ("text", "latex", "c", "cuda", "python --dtype float32", "text --dtype float64"):
        whole = printed(f"{generator} {options} --format {format}", capsys)
        commands = made_by(whole)
        assert len(commands) == (3 if format.startswith(("c", "python")) else 1)
        texts = [printed(command, capsys) for command in commands]
        assert "\n\n".join(texts) == whole
    record = json.loads(printed(f"{generator} {options} --format json", capsys))
    assert json.loads(printed(record["command"].removeprefix("python -m winograd "), capsys)) == record


@pytest.mark.parametrize("format", ["text", "latex", "python", "c", "cuda"])
@pytest.mark.parametrize("matrix", ["AT", "G", "BT"])
def test_the_program_of_one_matrix(matrix: str, format: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(f"4 3 --matrix {matrix} --format {format} --passes share", capsys)
    (command,) = made_by(text)
    assert printed(command, capsys) == text
    program = wg.toom_cook(4, 3, wg.parse_points("0, -1, 1, 1/2, -3, inf")).program(matrix, passes=["share"])
    if format == "python":
        assert text + "\n" == program.to_python(name=matrix.lower())


def test_texts_of_the_library_name_their_command_too(capsys: pytest.CaptureFixture[str]) -> None:
    T = wg.toom_cook(2, 3, wg.parse_points("0, c, -c, inf")).scaled(B=[1, 2, 2, 1]).subs({"c": "1/2"}).transpose()
    P = T.program("AT", "sorted", ["share", "fuse"])
    for text in (str(P), P.to_latex(), P.to_python("float64", "f"), P.to_c("float64", "g"), P.to_cuda("float32", "h")):
        (command,) = made_by(text)
        assert printed(command, capsys) == text.rstrip("\n")


def test_published_points_are_taken_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert "points 0, -1, 1, 1/2, -3, inf" in printed("4 3", capsys)
    assert "points 0, -1, 1, 1/2, -2, inf" in printed("4 3 --dims 2", capsys)


def test_distance_to_reference_counts(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed('4 3 --points "0,1,-1,2,-2,inf" --passes share,factor --dims 2', capsys)
    assert "the three transforms together: 298 additions" in text
    assert "usual 328 (30 fewer), best found 289 (9 more)" in text
    assert printed(made_by(text)[0], capsys) == text


def test_symbolic_points(capsys: pytest.CaptureFixture[str]) -> None:
    command = '4 3 --points "0, -1/c, -c, c, 1/c, inf"'
    assert "the symbol c" in printed(command, capsys)
    assert r"c^{2}" in printed(f"{command} --format latex", capsys)
    assert json.loads(printed(f"{command} --format json", capsys))["programs"] is None
    for format in ("c", "cuda", "python"):
        assert "give the symbol c a value" in refused(f"{command} --format {format}", capsys)
    assert "__fmul_rn" in printed(f'{command} --format cuda --subs "c = 3/2"', capsys)


def test_json_holds_the_transform(capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(printed(f"4 3 --points {F43} --format json --dtype float16", capsys))
    T = wg.Transform.from_json(json.dumps(record["transform"]))
    assert T.verify().command == f"python -m winograd 4 3 --points {F43}"
    assert record["rounded"]["dtype"] == "float16"


def test_names_of_functions(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed("2 3 --format c --name f23", capsys)
    assert [f"void f23_{m}(" in text for m in ("at", "g", "bt")] == [True] * 3
    assert "void apply(" in printed("2 3 --format c --name apply --matrix G", capsys)


def test_python_text_is_exact_unless_a_dtype_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert "G_0 = Fraction(1, 2)" in printed("2 3 --format python --matrix G", capsys)
    assert "G_0 = np.float64(0.5)  # 1/2" in printed("2 3 --format python --matrix G --dtype float64", capsys)
    names: dict = {}
    exec(printed(f"4 3 --points {F43} --format python", capsys), names)
    assert names["bt"](*sympy.eye(6).row(0))[0] == 1


def test_help_has_examples_that_run(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed("--help", capsys)
    assert "generate" in text or "Usage" in text
    examples = [line.strip() for line in text.splitlines() if line.strip().startswith("python -m winograd ")]
    assert len(examples) >= 5
    for example in examples:
        assert printed(example.removeprefix("python -m winograd "), capsys)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "Missing argument"),
        ("4", "Missing argument"),
        ("4 3 5", "unexpected extra argument"),
        ("4 3 --poinst 0", "No such option: --poinst"),
        ("4 3 --points", "requires an argument"),
        ("four 3", "Invalid value for 'm'"),
        ("4.5 3", "Invalid value for 'm'"),
        ("0 3", "m must be at least 1; got 0"),
        ("4 0 --points 0", "r must be at least 1; got 0"),
        ("-1 3", "must not be negative; got -1"),
        ("4 3 --points 0,1,-1,2,-2", r"F(4, 3) needs m + r - 1 = 6 points; got 5"),
        ("2 3 --points 0,1,-1,2,-2,inf", "= 4 points; got 6"),
        ("2 3 --points 0,1/2,0.5,inf", "points must be distinct; 1/2 appears at positions 2 and 3"),
        ("2 3 --points 0,inf,1,inf", "inf appears at positions 2 and 4"),
        ("2 3 --points 0,1,nan,inf", "point does not parse"),
        ("2 3 --points 0,1,-inf,inf", "point does not parse"),
        ("2 3 --points 0,1,two!,inf", "point does not parse"),
        ("2 3 --points 0,1,1/0,inf", "divides by zero"),
        ("2 3 --points 0,1,,inf", "entry 3 of '0,1,,inf' is empty"),
        (["2", "3", "--points", ""], "is empty"),
        ("2 5", "give the 6 points of F(2, 5) with --points"),
        ("17 3", "got m = 17: give them with --points"),
        ("1 3", "got m = 1: give them with --points"),
        ("2 3 --moduli x,x-1,inf", "total degree m + r - 1 = 4; got 3"),
        ("2 3 --moduli x,x,x-1,inf", "share a factor"),
        ("2 3 --moduli x,,x-1,inf", "one is empty"),
        ("2 3 --moduli x,y,x-1,inf", "moduli must be polynomials in x"),
        ("2 3 --points 0,1,-1,inf --moduli x", "exclude each other"),
        ("2 3 --moduli x,x-1,x+1,inf --fractions A", "fractions goes with points"),
        ("2 3 --fractions D", "fractions must be one of G, A, B; got 'D'"),
        ("2 3 --scale-a 1,2,3", "A must have n = 4 factors; got 3"),
        ("2 3 --scale-b 1,2,0,1", "factors must not be zero; B[2] is"),
        ("2 3 --scale-b 1,,2,1", "scale-b must be numbers separated by single commas"),
        ("2 3 --subs c", "subs must be symbol = value"),
        ("2 3 --points 0,c,-c,inf --subs c=0", "points must be distinct"),
        ("2 3 --order random", "order must be one of huffman, left, pairwise, sorted"),
        ("2 3 --passes shrink", "passes must be among share, factor, fuse, transpose"),
        ("2 3 --passes fuse,share", "fuse must be the last pass"),
        ("2 3 --matrix B", "Invalid value for '--matrix'"),
        ("2 3 --format pdf", "Invalid value for '--format'"),
        ("2 3 --dtype float8", "dtype must be one of float64, float32, tf32"),
        ("2 3 --format c --dtype float16", "dtype must be float32 or float64 in C"),
        ("2 3 --format latex --dtype float16", "dtype has no use here"),
        ("2 3 --dims 3", "dims must be 1 or 2; got 3"),
        ("2 3 --dims 2 --format c", "dims counts a whole tile"),
        ("2 3 --dims 2 --transpose", "must be correlations"),
        ("2 3 --matrix G --format json", "leave --matrix out"),
        ("2 3 --name f", "name is for functions"),
        ("2 3 --format c --matrix G --name for", "name must be an ASCII identifier"),
        ("2 3 --dtype float16 --scale-a 1,1,1,1e6", "AT[1, 3] = 1000000 exceeds the largest float16, 65504"),
        ("16 3 --dtype float16", "exceeds the largest float16"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    command: str | list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # Case apart: releases of typer write arguments as M or m.
    assert message.lower() in refused(command, capsys).lower()


def test_a_subcommand_can_stand_beside_the_generator() -> None:
    import typer

    from winograd.command import run_command

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    said: list[str] = []

    @app.command()
    def meant(word: str) -> None:
        said.append(f"meant {word}")

    @app.command()
    def other() -> None:
        said.append("other")

    assert run_command(app, ["word"], "test", default="meant") == 0
    assert run_command(app, ["other"], "test", default="meant") == 0
    assert said == ["meant word", "other"]
