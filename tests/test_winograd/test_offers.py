from __future__ import annotations

import pytest

from winograd import offers
from winograd.offers import Offer


def test_the_last_function_offered_is_given_without_a_look_at_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "entry_points", None)
    place: Offer = Offer("winograd.nothing", "nothing is there.")
    place.offer(abs)
    place.offer(max)
    assert place() is max


def test_entry_points_of_its_group_are_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    place: Offer = Offer("winograd.example", "nothing is there.")
    loaded: list[str] = []

    class Entry:
        def load(self) -> None:
            loaded.append("loaded")
            place.offer(abs)

    monkeypatch.setattr(offers, "entry_points", lambda group: [Entry()] if group == "winograd.example" else [])
    assert place() is place() is abs
    assert loaded == ["loaded"]


def test_without_any_the_error_says_what_is_missing() -> None:
    with pytest.raises(ImportError, match=r"^nothing is there\.$"):
        Offer("winograd.nothing", "nothing is there.")()
