"""Where candidates come from: published points, families, continuous optimisation, and what is near them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from error_analysis.auditing.gallery import exhibits
from error_analysis.searching.candidate import Candidate, candidate_of
from error_analysis.searching.canonical import RationalPoint, canonical
from error_analysis.searching.continuous import optimised
from error_analysis.searching.neighbours import Descent
from error_analysis.searching.scales import best_scales
from error_analysis.searching.setting import Setting
from error_analysis.searching.structures import layouts
from winograd.families import FAMILIES
from winograd.points import Infinity, Point

_LARGE = 12  # points from which on a second start of the optimiser is not worth its time


_FIXED = ("published", "published-1d", "integers", "fractions")
_PARAMETERS = ("5/4", "3/2", "7/4", "2", "5/2", "3", "4")  # of the families that have one


def known_points(n: int) -> dict[str, tuple[RationalPoint, ...]]:
    """Point sets of fixed families, by its name, canonical: those that are published, integers, simple fractions.

    Examples
    --------
    >>> sorted(known_points(6))
    ['fractions', 'integers', 'published', 'published-1d']
    """
    return {
        name: canonical(FAMILIES[name].points(n - 1, 2)) for name in _FIXED if FAMILIES[name].fits(n)
    }


def gallery_points(m: int, r: int) -> list[tuple[RationalPoint, ...]]:
    """The rational point sets that libraries and papers propose for F(m, r), canonical, as the gallery has them.

    Examples
    --------
    >>> len(gallery_points(4, 3)), gallery_points(5, 3)
    (6, [])
    """
    shown = [e for e in exhibits() if (e.m, e.r) == (m, r) and e.spoiled is None and _rational(e.points)]
    return list(dict.fromkeys(canonical(exhibit.points) for exhibit in shown))


def _rational(points: Sequence[Point]) -> bool:
    return all(isinstance(p, (Fraction, Infinity)) for p in points)


def _of_families(n: int) -> Iterator[tuple[RationalPoint, ...]]:
    """Point sets of the families with one parameter, at a few of its values."""
    for family in FAMILIES.values():
        if family.parameters != 1 or not family.linear or not family.fits(n):
            continue
        for c in _PARAMETERS:
            try:
                points = family.points(n - 1, 2, c)
            except ValueError:  # points that coincide at this c
                continue
            if _rational(points):
                yield canonical(points)


def explored(setting: Setting, seed: int = 0, continuous: bool = True) -> Descent:
    """Point sets by their quick estimates: descents from the optima of every layout, and from the known points.

    Parameters
    ----------
    setting : Setting
    seed : int
    continuous : bool
        Whether to optimise with SciPy; otherwise descents start from evenly spread magnitudes.
    """
    descent = Descent(setting.m, setting.r, setting.dims, setting.roundings)
    for points in (*known_points(setting.n).values(), *gallery_points(setting.m, setting.r)):
        descent.from_points(points)
    for points in _of_families(setting.n):
        descent.value(points)
    starts = 2 if setting.n < _LARGE else 1
    for layout in layouts(setting.n):
        if layout.numbers == 0:
            descent.value(layout.points([]))
        elif continuous:
            found = optimised(setting.m, setting.r, layout, setting.dims, setting.roundings, seed, starts)
            for sizes in found:
                descent.from_sizes(layout, sizes)
        else:
            count = layout.numbers
            descent.from_sizes(layout, [2.0 ** ((2 * k - count + 1) * (0.5 + 1 / count)) for k in range(count)])
    return descent


def leads(setting: Setting, descent: Descent, count: int, shared: bool = False) -> list[Candidate]:
    """The candidates to measure first: known point sets as they are, and the leading ones with the best factors.

    Parameters
    ----------
    setting : Setting
    descent : Descent
        As `explored` gives it.
    count : int
        How many candidates there shall be, at most, beside those of the gallery.
    shared : bool
        In the kernel model, known point sets with shared sums besides: they take the fewest operations.
    """
    kernel = setting.model == "kernel"
    plain = [candidate_of(points, fma=kernel) for points in descent.leading(2)]
    known = [candidate_of(points, fma=kernel) for points in known_points(setting.n).values()]
    sharing = [variant for c in known for variant in variants(c) if "factor" in variant.passes]
    extra = [*known, *plain, *(sharing if kernel and shared else [])]
    found: list[Candidate] = []
    for points in descent.leading(max(count - len(extra), (count + 1) // 2)):
        scales, _ = best_scales(setting.m, setting.r, points, setting.dims, setting.roundings)
        found.append(candidate_of(points, *scales, fma=kernel))
    shown = [candidate_of(points, fma=kernel) for points in gallery_points(setting.m, setting.r)]
    most = max(count, len(found))
    return list(dict.fromkeys([*list(dict.fromkeys([*found, *extra]))[:most], *shown]))


def superlinear(setting: Setting) -> list[Candidate]:
    """Candidates with moduli such as x^2 + 1 among them, of all families that have them.

    They need a product more along each axis for each modulus of degree two, and err less. No point can be moved and no
    product scaled by the quick estimate, which knows points only.

    Examples
    --------
    >>> superlinear(Setting(4, 3))[0]
    Candidate(points='x^2 + 1, x, x - 1, x + 1, inf', scale_a='', scale_b='', order='huffman', passes=(), fma=False)
    """
    found = []
    for family in FAMILIES.values():
        if family.linear or not family.fits(setting.n):
            continue
        for c in ((value,) for value in _PARAMETERS) if family.parameters else ((),):
            text = ", ".join(str(modulus).replace("**", "^") for modulus in family.moduli(setting.m, setting.r, *c))
            candidate = Candidate(text, fma=setting.model == "kernel")
            try:
                candidate.algorithm(setting)
            except ValueError:  # moduli with a common factor
                continue
            found.append(candidate)
    return found


def variants(candidate: Candidate) -> list[Candidate]:
    """The candidate evaluated in other orders, with shared sums, without fma: all that the kernel model allows."""
    how: list[tuple[str, tuple[str, ...], bool]] = [
        ("huffman", (), True), ("sorted", (), True), ("pairwise", (), True), ("huffman", ("share",), True),
        ("huffman", ("share", "factor"), True), ("huffman", (), False),
    ]
    return [
        Candidate(candidate.points, candidate.scale_a, candidate.scale_b, order, passes, fma)
        for order, passes, fma in how
    ]
