"""What was asked for, and the command that asks for it again."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, fields
from typing import Any

from convolution.timing import QUICK, Turn


@dataclass(frozen=True)
class Settings:
    """The options of the command that decide what is measured."""

    threads: int = 2
    batch: int = 1
    rounds: int = 5
    algorithm: str = "auto"
    network: tuple[str, ...] = ()
    layer: tuple[str, ...] = ()
    quick: bool = False

    @property
    def turn(self) -> Turn:
        """How often a contestant is called in its turn."""
        return QUICK if self.quick else Turn()

    def command(self, section: str) -> str:
        """The command that measures this section so."""
        words = ["python", "benchmarks/conv.py"] + ([] if section == "layers" else [f"--{section}"])
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            if isinstance(value, tuple):
                words += [word for part in value for word in (f"--{field.name}", part)]
            else:
                words += [f"--{field.name}"] + ([] if value is True else [str(value)])
        return shlex.join(words)

    def measuring(self) -> dict[str, Any]:
        """The options that change a measured number; the filters only choose what is measured."""
        return {name: value for name, value in asdict(self).items() if name not in ("network", "layer")}
