"""Fast convolution, exactly: points, transforms, programs, orders, algorithms, and their text.

    points --toom_cook--> Transform --order, passes--> Program --> Algorithm

Nothing here rounds but `winograd.rounding`, once and by name.
"""

from winograd.algorithm import Algorithm
from winograd.catalogue.recommendation import RecommendedAlgorithm, recommend
from winograd.catalogue.records import catalogue_rows
from winograd.catalogue.row import CatalogueRow
from winograd.exact import parse_number
from winograd.families import FAMILIES, Family, family
from winograd.moduli import from_moduli
from winograd.orders import ORDERS, register_order
from winograd.passes import PASSES
from winograd.points import INF, as_point, as_points, format_points, parse_points, reciprocal_group
from winograd.program import Arithmetic, Counts, ExactArithmetic, Op, Program, evaluate, foreign_program
from winograd.published import PublishedRow, best_published_error, published_points, published_rows
from winograd.rounding import FORMATS, BinaryFormat, format_of, round_exact
from winograd.toom_cook import toom_cook
from winograd.transform import NotAConvolution, Transform

__version__ = "0.1.0"

__all__ = [
    "FAMILIES",
    "FORMATS",
    "INF",
    "ORDERS",
    "PASSES",
    "Algorithm",
    "Arithmetic",
    "BinaryFormat",
    "CatalogueRow",
    "Counts",
    "ExactArithmetic",
    "Family",
    "NotAConvolution",
    "Op",
    "Program",
    "PublishedRow",
    "RecommendedAlgorithm",
    "Transform",
    "as_point",
    "as_points",
    "best_published_error",
    "catalogue_rows",
    "evaluate",
    "family",
    "foreign_program",
    "format_of",
    "format_points",
    "from_moduli",
    "parse_number",
    "parse_points",
    "published_points",
    "published_rows",
    "reciprocal_group",
    "recommend",
    "register_order",
    "round_exact",
    "toom_cook",
]
