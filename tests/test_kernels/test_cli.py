import subprocess
import sys

import numpy as np

from kernels import Conv2d
from kernels.__main__ import main
from kernels.compilation import cache_folder
from kernels.host import host


def test_info_tells_the_cpu_and_the_register_tiles(capsys):
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    tile = host().tile("float32")
    assert host().cpu in text and f"register tile {tile.rows} x {tile.columns}" in text


def test_clear_deletes_the_cached_code_and_nothing_else(tmp_path, monkeypatch, capsys):
    layer, x = Conv2d(np.ones((1, 1, 2, 2), np.float32), algorithm="direct"), np.ones((1, 1, 2, 2), np.float32)
    layer(x)
    monkeypatch.setenv("WINOGRAD_CACHE_DIR", str(tmp_path))
    (tmp_path / "other.txt").write_text("mine")
    (tmp_path / "winograd_kernels_x.py").write_text("cached")
    assert main(["clear"]) == 0
    assert cache_folder() == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]
    assert "Deleted 1 files" in capsys.readouterr().out
    # A layer made before still runs: what is compiled stays in memory.
    assert layer(x).item() == 4


def test_bad_input_is_one_line_and_exit_code_2():
    result = subprocess.run([sys.executable, "-m", "kernels", "nonsense"], capture_output=True, text=True, check=False)
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr.count("\n") == 1 and "nonsense" in result.stderr
