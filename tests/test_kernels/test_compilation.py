"""The code cache: hit by a second process, never stale, never trusted when damaged, never needed."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from kernels import compilation
from kernels.compilation import cache_folder, header, inlined, kernel, load_module, module_name

ROOT = Path(compilation.__file__).parents[1]

TEXT = (
    header(4)
    + """

C = np.float32(0.25)


@inlined
def scaled(x):
    return fma(x, C, -x)


@kernel
def negated(x, y):
    store(y, 0, -load(x, 0))


@kernel
def run(x, y):
    negated(x, y)
    store(y, 4, scaled(load(x, 0)))
"""
)  # over two functions and all kinds of names that a kernel has

# Loads the text of its first argument and prints what a test asks about.
CHILD = """
import json, sys, warnings
import numpy as np
from kernels import compilation
if len(sys.argv) > 2:
    compilation.fingerprint = lambda: sys.argv[2]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    module = compilation.load_module(sys.argv[1], "child")
    y = np.zeros(8, np.float32)
    module.run(np.arange(4, dtype=np.float32), y)
print(json.dumps({
    "name": module.__name__,
    "y": y.tolist(),
    "hits": sum(module.run.stats.cache_hits.values()),
    "misses": sum(module.run.stats.cache_misses.values()),
    "warnings": [str(w.message) for w in caught if w.category is RuntimeWarning],
}))
"""
EXPECTED = [0, -1, -2, -3, 0, -0.75, -1.5, -2.25]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WINOGRAD_CACHE_DIR", str(tmp_path / "code"))
    return tmp_path / "code"


def start(text=TEXT, *arguments, root=ROOT, folder=None):
    folders = {"WINOGRAD_CACHE_DIR": str(folder)} if folder else {}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, text, *arguments],
        env={**os.environ, **folders, "PYTHONPATH": os.pathsep.join([str(root), str(ROOT)])},
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(child):
    output, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    return json.loads(output)


@pytest.fixture(scope="module")
def former(tmp_path_factory):
    """A cache folder that a process has left, and the name of its module."""
    path = tmp_path_factory.mktemp("former")
    result = answer(start(folder=path))
    assert (result["hits"], result["y"]) == (0, EXPECTED)
    return path, result["name"]


@pytest.fixture
def name(former, folder):
    """The name of the module that a former process has left in this test's cache folder."""
    shutil.copytree(former[0], folder)
    return former[1]


def test_a_second_process_hits_the_cache_and_writes_nothing(folder):
    first = answer(start())
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    second = answer(start())
    assert (first["hits"], first["misses"]) == (0, 1)
    assert (second["hits"], second["misses"]) == (1, 0)
    assert first["y"] == second["y"] == EXPECTED
    assert first["warnings"] == second["warnings"] == []
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert all(file.startswith(first["name"]) for file in before)
    kinds = sorted((file.split(".")[1], file.split(".")[-1]) for file in before)
    assert kinds == [("negated", "part"), ("py", "py"), ("run", "bin")]
    assert (folder / f"{first['name']}.py").read_text() == TEXT


def test_two_processes_may_start_at_once_on_an_empty_cache():
    children = [start(), start()]
    assert [answer(child)["y"] for child in children] == [EXPECTED, EXPECTED]
    assert answer(start())["hits"] == 1


def test_changed_text_never_runs_stale_code(name):
    changed = TEXT.replace("np.float32(0.25)", "np.float32(0.5)")
    results = [answer(child) for child in (start(changed), start())]
    assert [r["hits"] for r in results] == [0, 1], "the former text keeps its code"
    assert results[0]["y"] == [0, -1, -2, -3, 0, -0.5, -1, -1.5]


def test_a_changed_source_of_the_package_never_runs_stale_code(tmp_path, name):
    copy = tmp_path / "copy" / "kernels"
    shutil.copytree(ROOT / "kernels", copy, ignore=shutil.ignore_patterns("__pycache__"))
    source = copy / "simd.py"
    text = source.read_text()
    assert text.count("return builder.fneg(args[0])") == 1
    source.write_text(text.replace("return builder.fneg(args[0])", "return args[0]"))
    result = answer(start(root=tmp_path / "copy"))
    assert (result["hits"], result["name"] == name) == (0, False)
    assert result["y"] == [0, 1, 2, 3, 0, 1.25, 2.5, 3.75]


def test_another_fingerprint_is_another_module():
    results = [answer(child) for child in (start(TEXT, "one"), start(TEXT, "two"))]
    assert [r["hits"] for r in results] == [0, 0]
    assert results[0]["name"] != results[1]["name"]


@pytest.mark.parametrize("setting", ["OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT", "BOUNDSCHECK"])
def test_numbas_settings_are_in_the_fingerprint(monkeypatch, setting):
    usual = compilation.fingerprint.__wrapped__()
    monkeypatch.setattr(compilation.config, setting, "another")
    assert compilation.fingerprint.__wrapped__() != usual


def test_damaged_text_is_written_anew(folder, name):
    path = folder / f"{name}.py"
    path.write_text("raise SystemExit('this must never run')\n")
    assert answer(start())["y"] == EXPECTED
    assert path.read_text() == TEXT


def test_damaged_machine_code_is_compiled_anew(folder, name, tmp_path):
    (run,) = folder.glob(f"{name}.run.*.bin")
    (negated,) = folder.glob(f"{name}.negated.*.part")
    data = run.read_bytes()
    one_bit = bytearray(data)
    one_bit[len(data) // 2] ^= 1
    children = []
    for number, damaged in enumerate([bytes(one_bit), data[:-9], b"", negated.read_bytes()]):
        shutil.copytree(folder, tmp_path / str(number))
        (tmp_path / str(number) / run.name).write_bytes(damaged)
        children.append(start(folder=tmp_path / str(number)))
    for result in map(answer, children):
        assert (result["hits"], result["y"], result["warnings"]) == (0, EXPECTED, [])
    assert answer(start(folder=tmp_path / "0"))["hits"] == 1, "the damaged file was replaced"


@pytest.mark.parametrize("cut", [0, 9])
def test_what_is_linked_in_is_taken_from_the_cache_unless_damaged(folder, name, cut):
    (run,) = folder.glob(f"{name}.run.*.bin")
    (negated,) = folder.glob(f"{name}.negated.*.part")
    run.unlink()
    negated.write_bytes(negated.read_bytes()[: negated.stat().st_size - cut])
    before = negated.stat().st_mtime_ns
    result = answer(start())
    assert (result["hits"], result["y"]) == (0, EXPECTED)
    assert run.exists() and (negated.stat().st_mtime_ns != before) == (cut > 0)


def test_without_a_writable_folder_it_compiles_and_warns_once(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WINOGRAD_CACHE_DIR", str(tmp_path / "file" / "code"))
    result = answer(start())
    assert (result["hits"], result["y"]) == (0, EXPECTED)
    (message,) = result["warnings"]
    assert "code cache must be writable" in message and str(tmp_path / "file" / "code") in message


def test_one_process_loads_a_text_once():
    module = load_module("x = 1\n", "once")
    assert load_module("x = 1\n", "once") is module is sys.modules[module.__name__]
    assert load_module("x = 2\n", "once") is not module
    assert load_module("x = 1\n", "other") is not module


def test_threads_share_one_module():
    found = []
    text = "import time\ntime.sleep(0.05)\n"
    threads = [threading.Thread(target=lambda: found.append(load_module(text, "shared"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(map(id, found))) == 1


def test_a_failing_text_leaves_nothing_in_memory():
    text = "x = 1\nraise KeyError('broken')\n"
    with pytest.raises(KeyError, match="broken"):
        load_module(text, "failing")
    assert module_name(text, "failing") not in sys.modules


def test_names_are_readable_and_safe():
    name = module_name("", "F(4x4, 3x3)/../float32 ")
    assert name.startswith("winograd_kernels_F_4x4_3x3_float32_") and name.isidentifier()
    assert len(module_name("", "a" * 500)) < 120


@pytest.mark.parametrize("arguments, name", [((b"x = 1", "stem"), "text"), (("x = 1", 3), "stem")])
def test_wrong_types_are_refused(arguments, name):
    with pytest.raises(TypeError, match=f"{name} must be a string"):
        load_module(*arguments)


def test_a_signature_compiles_at_once_and_takes_writable_arrays_for_read_only_ones():
    signature = "float32(Array(float32, 1, 'C', readonly=True), int64)"
    definition = f'@kernel("{signature}")\ndef at(x, i):\n    return x[i]\n'
    module = load_module("from kernels.compilation import kernel\n\n" + definition, "at")
    assert len(module.at.signatures) == 1
    x = np.arange(3, dtype=np.float32)
    read_only = x.copy()
    read_only.flags.writeable = False
    assert module.at(x, 2) == module.at(read_only, 2) == 2
    with pytest.raises(TypeError):
        module.at(np.arange(3.0), 2)


def test_outside_of_a_generated_module_nothing_is_cached(folder):
    @kernel
    def twice(x):
        return x + x

    assert twice(2) == 4
    assert twice.stats.cache_path is None
    assert not folder.exists()


def test_settings_keep_rounded_bits_and_release_the_interpreter():
    for dispatcher in (kernel(lambda x: x), inlined(lambda x: x)):
        options = dispatcher.targetoptions
        assert options["nogil"] and not options["fastmath"] and options["error_model"] == "numpy"
    assert np.isposinf(kernel(lambda x, y: x / y)(1.0, 0.0))


def test_a_division_of_sums_is_not_reassociated():
    total = kernel(lambda x, y, z: (x + y) - y + z)
    assert total(np.float32(1), np.float32(1e8), np.float32(0)) == np.float32(0)


def test_the_users_cache_folder_is_the_default(monkeypatch):
    monkeypatch.delenv("WINOGRAD_CACHE_DIR")
    assert cache_folder().name == "winograd-kernels"
