"""What a measurement gives back: numbers with their intervals, and where they come from."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import mpmath
import numpy as np

import winograd


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % confidence interval.

    Examples
    --------
    >>> print(Estimate(3.3e-7, 3.2e-7, 3.4e-7))
    3.30e-07 [3.20e-07, 3.40e-07]
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return self.formatted(".2e")

    def formatted(self, number: str) -> str:
        """value [low, high], each in the given format."""
        return f"{self.value:{number}} [{self.low:{number}}, {self.high:{number}}]"


# The 97.5 % point of the normal distribution. Trials are many, so the t distribution is not needed.
_Z95 = 1.959963984540054


def mean_estimate(values: np.ndarray) -> Estimate:
    """The mean of independent values, with the interval of the normal approximation.

    Examples
    --------
    >>> mean_estimate(np.array([1.0, 3.0])).value
    2.0
    """
    mean = float(np.mean(values))
    if not np.isfinite(mean):  # overflow: no spread, so no interval
        return Estimate(mean, np.nan, np.nan)
    return _around(mean, float(np.std(values, ddof=1)) / len(values) ** 0.5)


def ratio_estimate(above: np.ndarray, below: np.ndarray) -> Estimate:
    """The ratio of the means of paired values, by the delta method.

    With R the ratio, the variance of R is that of (above - R below) / mean(below), over the number of pairs: what the
    two share, by being measured on the same data, cancels.

    Examples
    --------
    >>> ratio_estimate(np.array([2.0, 4.0]), np.array([1.0, 2.0]))
    Estimate(value=2.0, low=2.0, high=2.0)
    """
    mean = float(np.mean(below))
    if mean == 0 or not np.isfinite(above).all():  # direct convolution was exact, or the algorithm overflowed
        return Estimate(np.nan, np.nan, np.nan)
    ratio = float(np.mean(above)) / mean
    return _around(ratio, float(np.std(above - ratio * below, ddof=1)) / (mean * len(above) ** 0.5))


def _around(value: float, standard_error: float) -> Estimate:
    return Estimate(value, value - _Z95 * standard_error, value + _Z95 * standard_error)


@dataclass(frozen=True)
class Report:
    """The measured error of an algorithm.

    Attributes
    ----------
    algorithm : str
        Its name, `str(A)`.
    subject : "emulation" or "kernel"
        What was measured: the emulated Programs, or the compiled kernel.
    mean_abs : Estimate
        Mean over trials and outputs of |computed - exact|; the interval is over trials. Infinite or NaN where the
        algorithm overflowed.
    max_abs : float
        The largest |computed - exact|.
    direct : Estimate
        The same mean for direct convolution, in the same format and on the same data.
    direct_max_abs : float
    ratio : Estimate
        mean_abs / direct, with the interval of the paired trials.
    trials, seed, channels : int
    oracle : "auto" or "mpmath"
    recipe : str
        The Algorithm as JSON, `winograd.Algorithm.from_json` reads it; with the above, the measurement can be repeated.
    provenance : mapping of str to str
        Versions and processor. Not compared: two reports are equal if what they measured is.
    """

    algorithm: str
    subject: str
    mean_abs: Estimate
    max_abs: float
    direct: Estimate
    direct_max_abs: float
    ratio: Estimate
    trials: int
    seed: int
    channels: int
    oracle: str
    recipe: str = field(repr=False)
    provenance: Mapping[str, str] = field(compare=False, repr=False)

    def __str__(self) -> str:
        channels = "1 channel" if self.channels == 1 else f"{self.channels} channels"
        return "\n".join([
            f"{self.algorithm} ({self.subject}, {channels}, {self.trials} trials, seed {self.seed})",
            f"  mean |error|    {self.mean_abs}",
            f"  max |error|     {self.max_abs:.2e}",
            f"  direct, mean    {self.direct}",
            f"  direct, max     {self.direct_max_abs:.2e}",
            f"  mean / direct   {self.ratio.formatted('.2f')}",
        ])

    def to_json(self) -> str:
        """The report as JSON text; `from_json` reads it back equal."""
        record = asdict(self)
        record["recipe"] = json.loads(self.recipe)
        return json.dumps(record, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that `to_json` wrote. Raises ValueError for text that is no such record."""
        try:
            record: dict[str, Any] = json.loads(text)
            for name in ("mean_abs", "direct", "ratio"):
                record[name] = Estimate(**record[name])
            record["recipe"] = json.dumps(record["recipe"])
            return cls(**record)
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"text must be a Report record as JSON; {error!r}.") from None


def provenance() -> dict[str, str]:
    """Versions of what took part, and the processor."""
    return {
        "winograd": winograd.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "mpmath": mpmath.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
    }


def _processor() -> str:
    """The processor's name where the system tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""
