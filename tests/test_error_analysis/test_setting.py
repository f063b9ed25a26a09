import pytest

from error_analysis.searching.setting import Setting


def test_formats_of_models() -> None:
    assert Setting(4, 3).formats == {"dtype": "float32"}
    assert Setting(4, 3, 1, "bfloat16", "kernel").formats == {
        "dtype": "bfloat16", "filter_dtype": "float64", "sum_dtype": "float32", "output_dtype": "float32",
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((1, 3), "m and r must be at least 2"), ((4, 1), "m and r must be at least 2"),
        ((4, 3, 3), "dims must be 1 or 2"), ((4, 3, True), "dims must be 1 or 2"),
        ((4, 3, 2.0), "dims must be 1 or 2; got 2.0"),
        ((4, 3, 2, "float7"), "dtype must be one of"), ((4, 3, 2, "float32", "fast"), "model must be one of"),
    ],
)
def test_bad_input(given: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Setting(*given)


def test_name_says_all() -> None:
    assert Setting(4, 3, 2, "float16", "kernel").name == "F(4x4, 3x3), float16, kernel"
