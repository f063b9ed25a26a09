"""The fields that kernels read by place: each name once, each value where its name says."""

import numpy as np
import pytest

from kernels.geometry import FIELDS, geometry_array, geometry_text


def test_names_are_distinct_and_can_be_names():
    assert len(set(FIELDS)) == len(FIELDS)
    assert all(name.isidentifier() and name.isupper() for name in FIELDS)


def test_the_text_gives_each_field_the_place_that_the_array_has_it_at():
    places: dict[str, int] = {}
    exec(geometry_text(), places)
    values = {name: 7 * number + 1 for number, name in enumerate(FIELDS)}
    array = geometry_array(values)
    assert array.dtype == np.int64 and array.shape == (len(FIELDS),)
    assert {name: int(array[places[name]]) for name in FIELDS} == values


def test_fields_that_are_not_given_are_zero():
    array = geometry_array({"UNITS": 2**40})
    assert array[FIELDS.index("UNITS")] == 2**40 and np.count_nonzero(array) == 1
    assert not geometry_array({}).any()


def test_unknown_fields_are_refused():
    with pytest.raises(ValueError, match=r"values must name fields of a geometry; got HIGHT, WIDE\."):
        geometry_array({"HIGHT": 1, "WIDE": 2, "WIDTH": 3})
