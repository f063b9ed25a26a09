"""An audit of matrices from anywhere: are they a convolution, which one, and how good is it?"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from itertools import compress, product
from typing import Any

from error_analysis.auditing.findings import Audit, WrongCoefficient
from error_analysis.auditing.merits import merits
from error_analysis.auditing.reading import Reading, radicand, read_matrix, read_number, rounds_to
from error_analysis.auditing.recognition import (
    distinct_points,
    likely_points,
    nearest_repair,
    predicted_entries,
    recovered_points,
    recovered_scaling,
)
from error_analysis.measurement.comparison import compare
from error_analysis.measurement.measure import check_integer
from winograd import Algorithm, Transform, format_of, toom_cook
from winograd.exact import exact, to_sympy
from winograd.orders import order_named
from winograd.published import PUBLISHED_TAPS, published_rows
from winograd.transform import MATRIX_NAMES

# Below what a slip leaves: the entries of such matrices are fractions of small numbers.
_ROUNDING_ONLY = 1e-5


def audit(
    AT: Any,
    G: Any,
    BT: Any,
    dims: int = 2,
    dtype: str = "float32",
    order: str = "huffman",
    trials: int = 2000,
    seed: int = 0,
) -> Audit:
    """What three matrices of a fast convolution are, whatever kernel, paper or script they come from.

    Floats are read as the fractions or surds they came from (see `auditing.reading.read_number`), and every
    reading is reported. The identity of the convolution is then checked exactly, as `Transform.verify` does; if it
    fails, the nearest repair is sought. The points are recovered from the columns of AT and the rows of G. If the
    matrices, or the repaired ones, are a convolution, its error is measured beside that of the best published points
    for this m and r. Surds are read in one quadratic field.

    Parameters
    ----------
    AT : matrix, shape (m, n)
        Output transform: nested lists, NumPy arrays or SymPy matrices of floats, exact numbers or text. A matrix
        given transposed is turned where its shape tells.
    G : matrix, shape (n, r)
        Filter transform.
    BT : matrix, shape (n, m + r - 1)
        Input transform.
    dims : int
        Axes that the error is measured in, 1 to 3.
    dtype, order : str
        Working format and order of the sums for the measurement, as in `winograd.Algorithm`.
    trials, seed : int
        Of the measurement, see `error_analysis.measure`; with trials = 0 nothing is measured.

    Returns
    -------
    Audit

    Raises
    ------
    ValueError
        If the shapes fit no convolution, or an entry is no finite number.

    Rounding
    --------
    None in what is said of the matrices: exact. The error is as `error_analysis.measure` gives it.

    Examples
    --------
    >>> AT = [[1, 1, 1, 0], [0, 1, -1, -1]]
    >>> G = [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]
    >>> BT = [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]
    >>> print(audit(AT, G, BT, trials=0))
    F(2, 3), exactly: all 24 coefficients are right
      read      36 entries: 36 exact
      points    0, 1, -1, inf
      made as   toom_cook(2, 3, [0, 1, -1, inf]); AT scaled by 1, 1, 1, -1; BT scaled by 1, 1, 1, -1
    >>> G[1][2] = 0.25
    >>> audit(AT, G, BT, trials=0).repair.change
    'G[1, 2] must be 1/2; it is 1/4.'
    """
    if dims not in (1, 2, 3):
        raise ValueError(f"dims must be 1, 2 or 3; got {dims!r}.")
    order_named(order)
    format_of(dtype)
    check_integer("trials", trials, 0)
    check_integer("seed", seed, 0)
    if trials == 1:
        raise ValueError("trials must be at least 2, or 0 to measure nothing; got 1.")
    readings = {name: read_matrix(matrix, name) for name, matrix in zip(MATRIX_NAMES, (AT, G, BT), strict=True)}
    _read_in_one_field(readings)
    notes = _turned(readings)
    values = {name: [[reading.value for reading in row] for row in rows] for name, rows in readings.items()}
    T = Transform(values["AT"], values["G"], values["BT"])
    if T.free_symbols:
        names = ", ".join(sorted(str(symbol) for symbol in T.free_symbols))
        raise ValueError(f"entries must be numbers; give the symbol {names} a value first.")
    if T.kind == "convolution":
        notes.append("these matrices multiply polynomials; the points and the error are those of the transposed form")
    T, reread = _reread(T, readings)
    if reread:
        notes.append(f"{reread} {'entry' if reread == 1 else 'entries'} read as the points require")

    wrong = tuple(WrongCoefficient(*coefficient) for coefficient in T.wrong_coefficients)
    if wrong and max(abs(float(to_sympy(w.off))) for w in wrong) < _ROUNDING_ONLY:
        notes.append("what is wrong is as small as rounding leaves it: these matrices were computed in floating point, "
                     "or printed with few digits")
    repair = nearest_repair(T) if wrong else None
    sound = None if wrong and repair is None else T if repair is None else repair.transform
    shown = _forward(T)
    points = recovered_points(shown)
    distinct = distinct_points(points) if T.n == T.tile else None
    found = best = ratio = None
    if sound is not None and trials:
        recipe: dict[str, Any] = {"dims": dims, "dtype": dtype, "order": order}
        A = Algorithm(_forward(sound), **recipe)
        sound_points = distinct_points(recovered_points(A.transforms[0]))
        known = best_published(T.m, T.r, dims)
        if known is None:
            found = merits(A, trials, seed, sound_points)
        else:
            B = Algorithm(known, **recipe)
            comparison = compare(A, B, trials, seed)
            found = merits(A, points=sound_points, report=comparison.a)
            best, ratio = merits(B, report=comparison.b), comparison.ratio
    return Audit(
        transform=T,
        readings={name: tuple(tuple(row) for row in rows) for name, rows in readings.items()},
        notes=tuple(notes),
        wrong=wrong,
        repair=repair,
        points=points,
        scaling=None if distinct is None else recovered_scaling(shown, distinct),
        merits=found,
        best=best,
        ratio=ratio,
    )


def best_published(m: int, r: int, dims: int) -> Transform | None:
    """Toom-Cook on the published points of F(m, r); None where none are published.

    Examples
    --------
    >>> best_published(4, 3, 2)
    Transform(F(4, 3), points 0, -1, 1, 1/2, -2, inf)
    """
    rows = [row for row in published_rows(min(dims, 2)) if row.m == m and r == PUBLISHED_TAPS]
    return toom_cook(m, r, rows[0].points) if rows else None


def _read_in_one_field(readings: dict[str, list[list[Reading]]]) -> None:
    """Floats taken for surds keep that only if they have the root in common that most of them have.

    Points and their powers lie in one field. Roots of everything would be a reading too, and exact algebra in a field
    of many roots takes forever.
    """
    every = [(row, j, reading) for rows in readings.values() for row in rows for j, reading in enumerate(row)]
    roots = Counter(radicand(reading.value) for *_, reading in every if reading.how != "exact")
    roots.pop(None, None)
    if len(roots) < 2:
        return
    usual = roots.most_common(1)[0][0]
    for row, j, reading in every:
        if reading.how != "exact" and radicand(reading.value) not in (None, usual):
            row[j] = replace(read_number(reading.source, surds=False), source=reading.source)


def _forward(T: Transform) -> Transform:
    return T if T.kind == "correlation" else T.transpose()


def _turned(readings: dict[str, list[list[Reading]]]) -> list[str]:
    """Turn the fewest matrices that make the shapes fit, where they do not; say which."""
    shapes = {name: (len(rows), len(rows[0])) for name, rows in readings.items()}
    for turned in sorted(product((False, True), repeat=3), key=sum):
        (m, n), (n_of_G, r), (n_of_BT, tile) = (
            shape[::-1] if turn else shape for shape, turn in zip(shapes.values(), turned, strict=True)
        )
        if n == n_of_G == n_of_BT and (tile == m + r - 1 or m == tile + r - 1):
            break
    else:
        return []
    notes = []
    for name in compress(MATRIX_NAMES, turned):
        readings[name] = [list(column) for column in zip(*readings[name], strict=True)]
        notes.append(f"{name} was given transposed")
    return notes


def _reread(T: Transform, readings: dict[str, list[list[Reading]]]) -> tuple[Transform, int]:
    """Entries read as Toom-Cook on the points that the others show, where that rounds to what was given.

    A float32 tells fractions of denominators up to about 200 from chance; G of larger tiles has larger ones, but they
    follow from the points. If all entries fit, all are read so; else only those in doubt.
    """
    places = [
        (name, i, j, reading)
        for name in MATRIX_NAMES
        for i, row in enumerate(readings[name])
        for j, reading in enumerate(row)
    ]
    if T.n != T.tile or (not T.wrong_coefficients and all(reading.clear for *_, reading in places)):
        return T, 0
    points = distinct_points(likely_points(_forward(T)))
    predicted = None if points is None else predicted_entries(_forward(T), points)
    if predicted is None:
        return T, 0
    if T.kind == "convolution":
        predicted = predicted.transpose()
    fitting = [place for place in places if rounds_to(exact(getattr(predicted, place[0])[place[1:3]]), place[3].source)]
    if len(fitting) < len(places):
        fitting = [place for place in fitting if not place[3].clear]
    matrices = {name: getattr(T, name).as_mutable() for name in MATRIX_NAMES}
    count = 0
    for name, i, j, reading in fitting:
        value = exact(getattr(predicted, name)[i, j])
        if reading.clear and value == reading.value:
            continue
        count += value != reading.value
        how = f"{reading.how}, by the points"
        readings[name][i][j] = Reading(reading.given, value, how, math.inf, reading.source)
        matrices[name][i, j] = to_sympy(value)
    return Transform(*matrices.values()), count
