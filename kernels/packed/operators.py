"""The operators of PackedArray: Python's signs for the functions of `kernels.packed`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

__all__ = ["LaneOperators"]


@cache
def _function(name: str) -> Callable[..., Any]:
    """That of `kernels.packed`, which imports this module: found when it is first called."""
    from kernels import packed

    function: Callable[..., Any] = getattr(packed, name)
    return function


def _forwarded(name: str, swapped: bool = False) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        return _function(name)(other, self) if swapped else _function(name)(self, other)

    return method


def _unary(name: str) -> Callable[[Any], Any]:
    def method(self: Any) -> Any:
        return _function(name)(self)

    return method


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        from kernels.packed.operations import changed_in_place

        return changed_in_place(name, self, other)

    return method


class LaneOperators:
    """`+ - * << >>`, their forms in place, unary `- + abs`, and comparisons; sums and products wrap at the width.

    Comparisons give unsigned arrays of one bit. As with NumPy's arrays, more than one element has no truth value.
    """

    __add__ = _forwarded("add")
    __radd__ = _forwarded("add", swapped=True)
    __iadd__ = _in_place("add")
    __sub__ = _forwarded("subtract")
    __rsub__ = _forwarded("subtract", swapped=True)
    __isub__ = _in_place("subtract")
    __mul__ = _forwarded("multiply")
    __rmul__ = _forwarded("multiply", swapped=True)
    __imul__ = _in_place("multiply")
    __lshift__ = _forwarded("shift_left")
    __ilshift__ = _in_place("shift_left")
    __rshift__ = _forwarded("shift_right")
    __irshift__ = _in_place("shift_right")
    __lt__ = _forwarded("less")
    __le__ = _forwarded("less_equal")
    __gt__ = _forwarded("greater")
    __ge__ = _forwarded("greater_equal")
    __eq__ = _forwarded("equal")
    __ne__ = _forwarded("not_equal")
    __neg__ = _unary("negate")
    __abs__ = _unary("absolute")
    __hash__ = None  # type: ignore[assignment]

    def __pos__(self) -> Any:
        return self.copy()  # type: ignore[attr-defined]

    def __bool__(self) -> bool:
        elements = self.unpack()  # type: ignore[attr-defined]
        if elements.size != 1:
            raise ValueError(
                f"a PackedArray of {elements.size} elements has no truth value: unpack it and use any or all."
            )
        return bool(elements.item())
