import pytest

from convolution.shape import Shape


def test_output_counts_padding_and_stride() -> None:
    assert Shape(3, 64, (224, 224), (7, 7), 2).output == (112, 112)
    assert Shape(8, 8, (17, 17), (1, 7)).output == (17, 17)
    assert Shape(1, 512, (16000,), (10,), 5, (0,)).output == (3199,)
    assert Shape(4, 4, (5, 6), (2, 2), padding=(0, 0)).output == (4, 5)


def test_padding_is_half_the_filter_unless_given() -> None:
    assert Shape(1, 1, (9, 9), (3, 5)).padding == (1, 2)
    assert Shape(1, 1, (9,), (3,), padding=(0,)).padding == (0,)


def test_multiply_adds_of_a_group_see_its_channels_only() -> None:
    dense, depthwise = Shape(8, 8, (4, 4), (3, 3)), Shape(8, 8, (4, 4), (3, 3), groups=8)
    assert dense.macs == 8 * 8 * 9 * 16
    assert depthwise.macs == 8 * 9 * 16
    assert dense.is_plain_3x3 and not depthwise.is_plain_3x3
    assert not Shape(8, 8, (4, 4), (3, 3), 2).is_plain_3x3


def test_text_says_all_that_is_not_one() -> None:
    assert str(Shape(64, 128, (56, 56), (3, 3), 2)) == "64 → 128, 56 × 56, 3 × 3 /2"
    assert str(Shape(32, 32, (7, 7), (3, 3), groups=32)) == "32 → 32, 7 × 7, 3 × 3 depthwise"
    assert str(Shape(32, 64, (7,), (3,), groups=4)) == "32 → 64, 7, 3 in 4 groups"


@pytest.mark.parametrize("arguments", [
    (3, 8, (4, 4), (3,)),
    (3, 8, (4, 4), (3, 3), 1, (1,)),
    (3, 9, (4, 4), (3, 3), 1, (), 2),
])
def test_shapes_that_do_not_fit_together_are_refused(arguments: tuple) -> None:
    with pytest.raises(ValueError, match="must"):
        Shape(*arguments)
