"""Evaluation orders: in which order the terms of a sum are added. Named, registrable data.

An order is a function from the weights of the terms to a tree of their indices: an index, or a pair of trees. The
weight of a term is the size of its coefficient times the weight of what it multiplies; an input weighs 1, a sum as
much as its terms together. For inputs in [-1, 1] that is the largest magnitude the term can take.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce

Tree = int | tuple["Tree", "Tree"]
Order = Callable[[Sequence[Fraction]], Tree]

ORDERS: dict[str, Order] = {}


def register_order(name: str) -> Callable[[Order], Order]:
    """Register an order under a name, for `Transform.program(..., order=name)`.

    Examples
    --------
    >>> @register_order("right")
    ... def right(weights):
    ...     tree = len(weights) - 1
    ...     for i in reversed(range(len(weights) - 1)):
    ...         tree = (i, tree)
    ...     return tree
    >>> ORDERS.pop("right")([1, 1, 1])
    (0, (1, 2))
    """

    def register(order: Order) -> Order:
        if name in ORDERS:
            raise ValueError(f"order names must be new; {name!r} is registered already.")
        ORDERS[name] = order
        return order

    return register


def leaves(tree: Tree) -> list[int]:
    """The indices in a tree, from left to right."""
    return [tree] if isinstance(tree, int) else [i for branch in tree for i in leaves(branch)]


def order_named(name: str) -> Order:
    """The registered order, or ValueError."""
    try:
        return ORDERS[name]
    except (KeyError, TypeError):
        raise ValueError(f"order must be one of {', '.join(sorted(ORDERS))}; got {name!r}.") from None


@register_order("left")
def left(weights: Sequence[Fraction]) -> Tree:
    """Index order, from left to right.

    Examples
    --------
    >>> left([1, 4, 2])
    ((0, 1), 2)
    """
    return _chain(range(len(weights)))


@register_order("sorted")
def by_weight(weights: Sequence[Fraction]) -> Tree:
    """Lightest first, from left to right; ties keep index order.

    Examples
    --------
    >>> by_weight([1, 4, 2])
    ((0, 2), 1)
    """
    return _chain(sorted(range(len(weights)), key=lambda i: weights[i]))


@register_order("huffman")
def huffman(weights: Sequence[Fraction]) -> Tree:
    """Always add the two lightest partial sums; ties keep index order, and terms go before sums.

    Source
    ------
    Barabasz, Anderson, Soodhalter, Gregg, ACM TOMS 46(4), 2020, section 4 (arXiv:1803.10986).

    Examples
    --------
    >>> huffman([4, 1, 1, 1])
    ((3, (1, 2)), 0)
    >>> huffman([1, 1, 1, 1])
    ((0, 1), (2, 3))
    """
    heap: list[tuple[Fraction, int, Tree]] = [(weight, i, i) for i, weight in enumerate(weights)]
    heapq.heapify(heap)
    made = len(heap)
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        # The later number of a new sum makes it lose ties against terms and older sums.
        heapq.heappush(heap, (first[0] + second[0], made, (first[2], second[2])))
        made += 1
    return heap[0][2]


@register_order("pairwise")
def pairwise(weights: Sequence[Fraction]) -> Tree:
    """Halve the terms, in index order, and add the sums of the halves.

    Examples
    --------
    >>> pairwise([1, 1, 1, 1, 1])
    (((0, 1), 2), (3, 4))
    """
    return _halved(0, len(weights))


def _chain(indices: Sequence[int] | range) -> Tree:
    trees: list[Tree] = list(indices)
    return reduce(lambda a, b: (a, b), trees)


def _halved(start: int, stop: int) -> Tree:
    if stop - start == 1:
        return start
    middle = (start + stop + 1) // 2
    return _halved(start, middle), _halved(middle, stop)
