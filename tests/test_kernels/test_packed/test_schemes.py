import numpy as np
import pytest

from kernels.packed.numbers import Numbers
from kernels.packed.schemes import chosen_scheme
from kernels.packed.weights import Weights


def chosen(scheme, a, w):
    return chosen_scheme(scheme, a, Weights(np.zeros((32, 64), int), w), 100)


def test_few_planes_are_multiplied_as_planes_and_many_are_not():
    assert chosen("auto", Numbers(2, False), Numbers(1, True))[0] == "planes"
    assert chosen("auto", Numbers(8, False), Numbers(8, True))[0] == "int8"


def test_what_the_dot_products_do_not_take():
    name, why = chosen("auto", Numbers(16, False), Numbers(8, True))
    assert name == "planes" and "do not take uint16 and int8" in why
    with pytest.raises(ValueError, match='scheme must be "planes" for uint16 and int8'):
        chosen("int8", Numbers(16, False), Numbers(8, True))
