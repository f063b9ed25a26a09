"""With a clock that stands still but for sleeping and for the calls that say how long they take."""

from collections.abc import Callable

import pytest

from convolution import timing
from convolution.timing import Turn, measured, quartiles, turn_times, wait_until_idle


class Clock:
    """In place of the module `time`; other threads compute until `busy_until`."""

    def __init__(self) -> None:
        self.now = self.computed = 0.0
        self.busy_until = 0.0

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.computed

    def sleep(self, seconds: float) -> None:
        self.computed += min(seconds, max(self.busy_until - self.now, 0.0))
        self.now += seconds

    def taking(self, seconds: float, spinning: float = 0.0) -> Callable[[], None]:
        """A function that takes so long, and whose threads spin on for so long."""

        def call() -> None:
            self.now += seconds
            self.computed += seconds
            self.busy_until = self.now + spinning

        return call


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


def test_contestants_take_turns_in_their_order(clock: Clock) -> None:
    calls: list[str] = []

    def called(name: str, seconds: float) -> Callable[[], None]:
        return lambda: (calls.append(name), clock.taking(seconds)())[-1]

    times = measured({"a": called("a", 0.25), "b": called("b", 0.5)}, 3, Turn(uncounted=1, counted=2, fill_s=0.0))
    assert calls == ["a", "a", "a", "b", "b", "b"] * 3
    assert (times["a"].median_s, times["b"].median_s) == pytest.approx((0.25, 0.5))
    assert [len(times[name].turns_s) for name in "ab"] == [3, 3]


def test_quick_calls_fill_a_turn_and_slow_ones_cut_it_short(clock: Clock) -> None:
    assert len(turn_times(clock.taking(0.001), Turn(fill_s=0.0155))) == 16
    assert len(turn_times(clock.taking(0.25), Turn(uncounted=0, counted=3, most_s=1.0))) == 3
    start = clock.now
    assert turn_times(clock.taking(2.0), Turn(uncounted=2, counted=3, most_s=1.0)) == [2.0]
    assert clock.now - start == pytest.approx(4.0, abs=0.05)  # one that is not counted, one that is


def test_a_turn_begins_when_the_threads_of_the_last_have_stopped(clock: Clock) -> None:
    clock.busy_until = 0.05
    wait_until_idle()
    assert 0.05 <= clock.now < 0.05 + 2 * timing._NAP_S
    clock.taking(0.1, spinning=0.1)()
    stopped = clock.busy_until
    begun: list[float] = []
    turn_times(lambda: begun.append(clock.now), Turn(uncounted=0, counted=1, fill_s=0.0))
    assert begun[0] >= stopped


def test_threads_that_never_stop_are_not_waited_for(clock: Clock) -> None:
    clock.busy_until = 1e9
    wait_until_idle()
    assert clock.now == pytest.approx(1.0, abs=0.05)


def test_quartiles() -> None:
    assert quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == (2.0, 4.0)
    assert quartiles([7.0]) == (7.0, 7.0)
