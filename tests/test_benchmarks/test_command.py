"""`python benchmarks/conv.py` as a process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def conv(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "benchmarks/conv.py", *options], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )


def test_one_small_layer(tmp_path: Path) -> None:
    page = tmp_path / "R.md"
    ran = conv("--layer", "512 → 512, 7 × 7, 3 × 3", "--quick", "--rounds", "1", "--write", str(page))
    assert ran.returncode == 0, ran.stderr
    # The groups, or the word that another process had a core meanwhile.
    assert "512 → 512, 7 × 7, 3 × 3 " in ran.stdout
    assert "| all distinct layers | PyTorch | 1 |" in ran.stdout or "Left out here: 1 of 1 rows" in ran.stdout
    written = page.read_text(encoding="utf-8")
    assert "### ResNet-18" in written and "### ResNet-50" in written and "### VGG-16" not in written
    assert "--layer '512 → 512, 7 × 7, 3 × 3' --quick`" in written


def test_ctrl_c_ends_the_run_with_a_word(tmp_path: Path) -> None:
    page = tmp_path / "R.md"
    options = ["--layer", "512 → 512, 7 × 7, 3 × 3", "--layer", "256 → 256, 14 × 14, 3 × 3", "--quick", "--write", page]
    begun = subprocess.Popen(
        [sys.executable, "benchmarks/conv.py", *options, "--rounds", "1000"], cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # not ignored, as for a shell's &
    )
    assert begun.stdout is not None
    assert "Layers against peers" in begun.stdout.readline()
    begun.send_signal(signal.SIGINT)
    _, errors = begun.communicate(timeout=60)
    assert begun.returncode == 130 and errors.strip().endswith("Interrupted.")
    assert not page.exists()  # nothing was finished; test_running has the rest


def test_bad_options_are_refused_before_anything_is_measured() -> None:
    for options, message in [
        (["--network", "nothing-like-it"], "must name a layer of VGG-16"),
        (["--resume"], "must come with --write"),
        (["--scaling", "--threads", "1"], "must have --threads of 2"),
        (["--threads", "0"], "--threads"),
    ]:
        ran = conv(*options)
        assert ran.returncode in (1, 2) and message in ran.stderr, ran
        assert "Traceback" not in ran.stderr and not ran.stdout
