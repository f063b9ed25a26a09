"""The tables of layers, against what is published of the networks."""

import pytest

from convolution.layers import NETWORKS, selected
from convolution.shape import Shape


def total(network: str) -> int:
    return sum(layer.count * layer.shape.macs for layer in NETWORKS[network])


# Multiply-adds of all convolutions, exactly; and as published, the fully connected layers included.
@pytest.mark.parametrize(("network", "macs", "published", "connected"), [
    ("VGG-16", 15_346_630_656, 15.47e9, 4096 * (25088 + 4096 + 1000)),
    ("ResNet-18", 1_813_561_344, 1.814e9, 512 * 1000),
    ("ResNet-50", 4_087_136_256, 4.09e9, 2048 * 1000),
    ("MobileNetV2", 299_494_272, 0.3008e9, 1280 * 1000),
])
def test_multiply_adds_of_all_convolutions(network: str, macs: int, published: float, connected: int) -> None:
    assert total(network) == macs
    assert total(network) + connected == pytest.approx(published, rel=0.001)  # three or four digits are published


@pytest.mark.parametrize(("network", "layers", "distinct"), [
    ("VGG-16", 13, 9),
    ("ResNet-18", 20, 11),  # 18 counts the fully connected one, not the three shortcuts
    ("ResNet-50", 53, 23),  # 50 likewise, and four shortcuts
    ("MobileNetV2", 52, 30),  # 1 + 17 blocks of 3, the first without expansion + 1
])
def test_numbers_of_layers(network: str, layers: int, distinct: int) -> None:
    assert sum(layer.count for layer in NETWORKS[network]) == layers
    assert len(NETWORKS[network]) == distinct


def test_a_shape_is_listed_once_in_a_network() -> None:
    for layers in NETWORKS.values():
        assert len({layer.shape for layer in layers}) == len(layers)


@pytest.mark.parametrize("network", ["VGG-16", "ResNet-18", "ResNet-50", "MobileNetV2"])
def test_networks_end_at_seven_by_seven_and_begin_at_an_image(network: str) -> None:
    shapes = [layer.shape for layer in NETWORKS[network]]
    assert (shapes[0].channels, shapes[0].size) == (3, (224, 224))
    assert shapes[-1].output == ((14, 14) if network == "VGG-16" else (7, 7))  # VGG pools once more


def test_channels_in_are_channels_out_of_another_layer() -> None:
    for network in ("VGG-16", "ResNet-18", "ResNet-50", "MobileNetV2"):
        shapes = [layer.shape for layer in NETWORKS[network]]
        made = {3} | {shape.filters for shape in shapes}
        assert {shape.channels for shape in shapes} <= made, network


def test_kinds_of_layer_that_are_asked_for_are_there() -> None:
    def taps(network: str) -> set[tuple[tuple[int, ...], int]]:
        return {(layer.shape.taps, layer.shape.stride) for layer in NETWORKS[network]}

    assert taps("VGG-16") == {((3, 3), 1)}
    assert taps("ResNet-50") == {((7, 7), 2), ((1, 1), 1), ((1, 1), 2), ((3, 3), 1), ((3, 3), 2)}
    assert sum(not layer.shape.is_dense for layer in NETWORKS["MobileNetV2"]) == 10
    assert {((5, 5), 1), ((7, 7), 2), ((7, 7), 1), ((1, 7), 1), ((7, 1), 1)} == taps("Inception")
    assert all(layer.shape.dims == 1 for layer in NETWORKS["Audio"])
    assert max(layer.shape.taps[0] for layer in NETWORKS["Audio"]) == 11


def test_a_shared_shape_is_measured_once_and_names_all_networks() -> None:
    shapes = selected()
    stem = Shape(3, 64, (224, 224), (7, 7), 2)
    assert [(layer.network, layer.name) for layer in shapes[stem]] == [
        ("ResNet-18", "conv1"), ("ResNet-50", "conv1"), ("Inception", "v1 conv1"),
    ]
    assert len(shapes) == len(set(shapes)) < sum(map(len, NETWORKS.values()))
    assert sum(map(len, shapes.values())) == sum(map(len, NETWORKS.values()))


def test_shapes_as_text_are_distinct() -> None:
    shapes = selected()
    assert len({str(shape) for shape in shapes}) == len(shapes)  # the text is what --resume knows a row by


def test_filters_choose_by_part_of_a_name_or_shape() -> None:
    assert list(selected(["vgg"], ["conv1_1"])) == [Shape(3, 64, (224, 224), (3, 3))]
    assert all(shape.groups > 1 for shape in selected(["mobile"], ["depthwise"]))
    assert {shape.taps for shape in selected((), ["7 × 7"])} >= {(7, 7)}
    assert {layer.network for layers in selected(["resnet-18"]).values() for layer in layers} >= {"ResNet-50"}


def test_filters_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must name a layer of VGG-16.*nothing-like-it"):
        selected(["nothing-like-it"])
