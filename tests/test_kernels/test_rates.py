"""What is known of the machine: kept whole in a file, and never trusted when it is damaged."""

import json
from dataclasses import asdict, replace

import pytest

from kernels import rates as module
from kernels.rates import Rates, keep_rates, kept_rates, rates, rates_file, use_rates

MEASURED = replace(Rates(), transform=3.25, late=12_345.0)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WINOGRAD_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(module, "_used", [])
    kept_rates.cache_clear()
    yield tmp_path
    kept_rates.cache_clear()


def test_defaults_serve_without_a_file():
    assert rates() == Rates() and not rates_file().exists()
    assert all(value > 0 for value in asdict(Rates()).values())


def test_what_is_kept_is_used_from_then_on_and_by_later_processes(folder):
    assert rates() == Rates()
    keep_rates(MEASURED)
    assert rates() == MEASURED and rates_file().parent == folder
    kept_rates.cache_clear()  # as a new process
    assert rates() == MEASURED


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "{}",
        json.dumps(asdict(MEASURED) | {"transform": -1}),
        json.dumps(asdict(MEASURED) | {"transform": "8"}),
        json.dumps(asdict(MEASURED) | {"another": 1}),
        json.dumps({name: value for name, value in asdict(MEASURED).items() if name != "unit"}),
        json.dumps(asdict(MEASURED) | {"transform": float("nan")}),
        "\udcff",
    ],
)  # fmt: skip
def test_a_damaged_file_counts_as_none(text):
    rates_file().write_bytes(text.encode(errors="surrogateescape"))
    assert rates() == Rates()


def test_rates_may_be_taken_for_a_while():
    use_rates(MEASURED)
    assert rates() == MEASURED
    use_rates(None)
    assert rates() == Rates()
