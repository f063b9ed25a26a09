"""Two models of what an algorithm may do, and the formats that each gives its stages."""

from __future__ import annotations

from winograd.rounding import format_of

MODELS = ("literature", "kernel")
"""What an algorithm may do. "literature": sums in Huffman order, no fma, every operation in the working format, the
filter transform included. "kernel": any order, passes, fma, and the filter transformed in float64, then rounded once.

In formats narrower than float32, products are summed and the output is transformed in float32."""

_WIDE = 24


def measured_data(dtype: str) -> str:
    """The kind of data that errors in a format are measured on.

    float32, and wider formats, on the literature's: uniform on [-1, 1]. Narrower ones on what a layer of a network
    sees: normal data with the negative part made zero by a ReLU, and normal filters. Data of one sign favours other
    points.

    Examples
    --------
    >>> measured_data("float32"), measured_data("bfloat16")
    ('uniform', 'relu')
    """
    return "uniform" if format_of(dtype).precision >= _WIDE else "relu"


def stage_formats(dtype: str, model: str) -> dict[str, str]:
    """The fields of an `Algorithm` that say which formats a model works in.

    Raises
    ------
    ValueError
        For an unknown format or model.

    Examples
    --------
    >>> stage_formats("float16", "kernel")
    {'dtype': 'float16', 'filter_dtype': 'float64', 'sum_dtype': 'float32', 'output_dtype': 'float32'}
    """
    if model not in MODELS:
        raise ValueError(f"model must be one of {', '.join(MODELS)}; got {model!r}.")
    working = format_of(dtype)
    formats = {"dtype": working.name}
    if model == "kernel":
        formats["filter_dtype"] = "float64"
    if working.precision < _WIDE:
        formats |= {"sum_dtype": "float32", "output_dtype": "float32"}
    return formats
