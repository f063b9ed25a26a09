"""Evaluation orders: each term once, each by its own rule; Huffman's total is minimal."""

from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import winograd as wg
from winograd.orders import ORDERS, Tree, huffman, order_named

weights = st.lists(st.fractions(0, 100, max_denominator=20), min_size=1, max_size=12)


def leaves(tree: Tree) -> list[int]:
    return [tree] if isinstance(tree, int) else leaves(tree[0]) + leaves(tree[1])


def cost(tree: Tree, sizes: list[Fraction]) -> Fraction:
    """The total weight of all sums: what Huffman's rule minimises."""
    if isinstance(tree, int):
        return Fraction(0)
    whole = sum((sizes[i] for i in leaves(tree)), Fraction(0))
    return whole + cost(tree[0], sizes) + cost(tree[1], sizes)


def least_cost(sizes: tuple[Fraction, ...], known: dict) -> Fraction:
    """By trying every pair to add first."""
    if len(sizes) == 1:
        return Fraction(0)
    if sizes not in known:
        options = []
        for i in range(len(sizes)):
            for j in range(i):
                rest = [s for k, s in enumerate(sizes) if k not in (i, j)]
                pair = sizes[i] + sizes[j]
                options.append(pair + least_cost(tuple(sorted([*rest, pair])), known))
        known[sizes] = min(options)
    return known[sizes]


@pytest.mark.parametrize("name", ["left", "sorted", "huffman", "pairwise"])
@given(sizes=weights)
def test_every_term_is_added_once(name: str, sizes: list[Fraction]) -> None:
    assert sorted(leaves(ORDERS[name](sizes))) == list(range(len(sizes)))


@given(st.lists(st.fractions(0, 20, max_denominator=6), min_size=1, max_size=6))
def test_huffman_has_the_least_total_weight(sizes: list[Fraction]) -> None:
    assert cost(huffman(sizes), sizes) == least_cost(tuple(sorted(sizes)), {})


@given(weights)
def test_sorted_adds_ascending_weights_and_ties_keep_index_order(sizes: list[Fraction]) -> None:
    assert leaves(ORDERS["sorted"](sizes)) == sorted(range(len(sizes)), key=lambda i: (sizes[i], i))


def depths(tree: Tree) -> Iterator[int]:
    if isinstance(tree, int):
        yield 0
    else:
        yield from (1 + d for branch in tree for d in depths(branch))


@given(weights)
def test_pairwise_is_as_shallow_as_can_be(sizes: list[Fraction]) -> None:
    assert max(depths(ORDERS["pairwise"](sizes))) == (len(sizes) - 1).bit_length()
    assert leaves(ORDERS["pairwise"](sizes)) == list(range(len(sizes)))


def test_huffman_ties_keep_index_order_and_terms_go_first() -> None:
    assert huffman([1] * 5) == ((2, 3), (4, (0, 1)))
    assert huffman([2, 1, 1]) == (0, (1, 2))


def test_orders_are_registered_by_name_once() -> None:
    @wg.register_order("backwards")
    def backwards(sizes: list) -> Tree:
        tree: Tree = len(sizes) - 1
        for i in reversed(range(len(sizes) - 1)):
            tree = (tree, i)
        return tree

    try:
        T = wg.toom_cook(2, 3, [0, 1, -1, wg.INF])
        assert T.program("AT", "backwards").matrix() == T.AT
        with pytest.raises(ValueError, match="order names must be new; 'backwards'"):
            wg.register_order("backwards")(backwards)
    finally:
        del ORDERS["backwards"]
    with pytest.raises(ValueError, match="order must be one of huffman, left, pairwise, sorted; got 'backwards'"):
        order_named("backwards")
