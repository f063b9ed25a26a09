"""Measuring steps: the file is written, the next choice is made by it, and results stay what they are."""

import numpy as np

from kernels import cli, packed
from kernels.packed import rates, tuning
from kernels.packed.fields import most_bits
from kernels.packed.lookups import has_lookup
from kernels.rates import Rates


def test_tune_measures_what_auto_then_chooses_by(tmp_path, monkeypatch):
    monkeypatch.setattr(rates, "cache_folder", lambda: tmp_path)
    for name, value in (("_CHANNELS", 8), ("_SIZE", 4), ("_CALLS", 1), ("_MEMORY_BYTES", 1 << 16)):
        monkeypatch.setattr(tuning, name, value)
    a = packed.pack(np.arange(64).reshape(1, 4, 16) % 4, 2, False, axis=1)
    w = packed.pack(np.arange(24).reshape(2, 4, 3) % 3 - 1, 2, True, axis=1)
    rates.step_times.cache_clear()
    try:
        before, why = packed.conv1d(a, w, explain=True)
        assert "defaults" in why
        told = []
        times = packed.tune(told.append)
        assert times.measured and rates.times_file().exists() and len(told) == 3 + has_lookup() + (0 < most_bits() < 7)
        names = ("and_ns", "xor_ns", "bytes_ns", "pairs_ns", "multiply_ns", "table_ns", "field_ns")
        assert all(getattr(times, name) > 0 for name in names)
        after, why = packed.conv1d(a, w, explain=True)
        assert "measured on this machine" in why
        np.testing.assert_array_equal(after, before)
    finally:
        rates.step_times.cache_clear()


def test_the_command_measures_packed_steps_too(monkeypatch, capsys):
    told = []
    monkeypatch.setattr(cli, "measured_rates", lambda progress: (Rates(), 1.5, 1.1))
    monkeypatch.setattr(cli, "measured_steps", lambda progress: (told.append("asked"), progress("and_ns: 1.000")))
    cli.tune()
    text = capsys.readouterr().out
    assert told == ["asked"] and "packed integers: and_ns: 1.000" in text and str(rates.times_file()) in text
