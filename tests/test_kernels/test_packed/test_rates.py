"""Step times: kept and read back, and the defaults where the file is not to be trusted."""

from dataclasses import replace

import pytest

from kernels.packed import rates


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(rates, "cache_folder", lambda: tmp_path)
    rates.step_times.cache_clear()
    yield
    rates.step_times.cache_clear()


def test_the_defaults_without_a_file():
    assert rates.step_times() == rates.default_times() and not rates.step_times().measured


def test_what_is_kept_is_used():
    assert not rates.step_times().measured
    rates.keep_times(replace(rates.default_times(), and_ns=7.0))
    assert rates.step_times() == replace(rates.default_times(), and_ns=7.0, measured=True)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"and_ns": 1.0}', "null"])
def test_a_file_that_cannot_be_read(text):
    rates.times_file().write_text(text)
    assert rates.step_times() == rates.default_times()


def test_a_file_with_impossible_times():
    rates.keep_times(replace(rates.default_times(), and_ns=-1.0))
    assert not rates.step_times().measured
