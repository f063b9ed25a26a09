"""The convolution layers of known networks, at the image sizes they were published for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from convolution.shape import Shape


@dataclass(frozen=True)
class Layer:
    """A shape in a network.

    Attributes
    ----------
    network, name : str
        The name is that of the first layer of this shape.
    shape : Shape
    count : int
        How many layers of the network have it.
    """

    network: str
    name: str
    shape: Shape
    count: int


def _distinct(network: str, named: Iterable[tuple[str, Shape]]) -> tuple[Layer, ...]:
    names: dict[Shape, list[str]] = {}
    for name, shape in named:
        names.setdefault(shape, []).append(name)
    return tuple(Layer(network, found[0], shape, len(found)) for shape, found in names.items())


def _square(channels: int, filters: int, size: int, taps: int, stride: int = 1, groups: int = 1) -> Shape:
    return Shape(channels, filters, (size, size), (taps, taps), stride, groups=groups)


def _vgg16() -> Iterable[tuple[str, Shape]]:
    """Simonyan and Zisserman, arXiv 1409.1556, table 1, column D."""
    channels, size = 3, 224
    for stage, (filters, depth) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], 1):
        for position in range(1, depth + 1):
            yield f"conv{stage}_{position}", _square(channels, filters, size, 3)
            channels = filters
        size //= 2


def _resnet18() -> Iterable[tuple[str, Shape]]:
    """He et al., arXiv 1512.03385, table 1; a 1 x 1 convolution where a block changes size."""
    yield "conv1", _square(3, 64, 224, 7, 2)
    channels, size = 64, 56
    for stage, filters in enumerate((64, 128, 256, 512), 2):
        for block in (1, 2):
            stride = 2 if stage > 2 and block == 1 else 1
            yield f"conv{stage}_{block}a", _square(channels, filters, size, 3, stride)
            if stride > 1:
                yield f"conv{stage}_{block} shortcut", _square(channels, filters, size, 1, stride)
            size //= stride
            yield f"conv{stage}_{block}b", _square(filters, filters, size, 3)
            channels = filters


def _resnet50() -> Iterable[tuple[str, Shape]]:
    """He et al., table 1, with the stride in the 3 x 3 convolution, as PyTorch and NVIDIA ("v1.5") have it."""
    yield "conv1", _square(3, 64, 224, 7, 2)
    channels, size = 64, 56
    for stage, (width, depth) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], 2):
        for block in range(1, depth + 1):
            stride = 2 if stage > 2 and block == 1 else 1
            yield f"conv{stage}_{block}a", _square(channels, width, size, 1)
            yield f"conv{stage}_{block}b", _square(width, width, size, 3, stride)
            yield f"conv{stage}_{block}c", _square(width, 4 * width, size // stride, 1)
            if block == 1:
                yield f"conv{stage}_{block} shortcut", _square(channels, 4 * width, size, 1, stride)
            size //= stride
            channels = 4 * width


def _mobilenet_v2() -> Iterable[tuple[str, Shape]]:
    """Sandler et al., arXiv 1801.04381, table 2: expansion t, filters c, blocks n, stride s of the first."""
    yield "stem", _square(3, 32, 224, 3, 2)
    channels, size, block = 32, 112, 0
    for t, c, n, s in [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]:
        for stride in (s, *[1] * (n - 1)):
            block += 1
            width = t * channels
            if t > 1:
                yield f"block {block} expand", _square(channels, width, size, 1)
            yield f"block {block} depthwise", _square(width, width, size, 3, stride, groups=width)
            size //= stride
            yield f"block {block} project", _square(width, c, size, 1)
            channels = c
    yield "head", _square(channels, 1280, size, 1)


def _inception() -> Iterable[tuple[str, Shape]]:
    """Szegedy et al., arXiv 1409.4842 (v1), table 1, and arXiv 1512.00567 (v3): 5 x 5, 7 x 7 and 1 x 7 with 7 x 1."""
    yield "v1 conv1", _square(3, 64, 224, 7, 2)
    five = [("3a", 16, 32, 28), ("3b", 32, 96, 28), ("4e", 32, 128, 14), ("5b", 48, 128, 7)]
    for name, channels, filters, size in five:
        yield f"v1 {name} 5x5", _square(channels, filters, size, 5)
    yield "v3 5x5", _square(48, 64, 35, 5)
    for width in (128, 160, 192):
        yield f"v3 1x7, {width}", Shape(width, width, (17, 17), (1, 7))
        yield f"v3 7x1, {width}", Shape(width, width, (17, 17), (7, 1))
    yield "7x7 that v3 splits in two", _square(128, 128, 17, 7)


def _audio() -> Iterable[tuple[str, Shape]]:
    """One second of sound: the undilated layers of HiFi-GAN V1 (arXiv 2010.05646), wav2vec 2.0's (arXiv 2006.11477)."""
    yield "HiFi-GAN pre", Shape(80, 512, (86,), (7,))
    for channels, length in [(256, 688), (128, 5504), (64, 11008), (32, 22016)]:
        for taps in (3, 7, 11):
            yield f"HiFi-GAN {channels}, {taps} taps", Shape(channels, channels, (length,), (taps,))
    yield "HiFi-GAN post", Shape(32, 1, (22016,), (7,))
    yield "wav2vec 1", Shape(1, 512, (16000,), (10,), 5, (0,))
    yield "wav2vec 2", Shape(512, 512, (3199,), (3,), 2, (0,))
    yield "wav2vec 6", Shape(512, 512, (199,), (2,), 2, (0,))


NETWORKS: dict[str, tuple[Layer, ...]] = {
    network: _distinct(network, named)
    for network, named in {
        "VGG-16": _vgg16(),
        "ResNet-18": _resnet18(),
        "ResNet-50": _resnet50(),
        "MobileNetV2": _mobilenet_v2(),
        "Inception": _inception(),
        "Audio": _audio(),
    }.items()
}
"""Each network's layers by distinct shape, in the order of the network."""


def selected(networks: Sequence[str] = (), layers: Sequence[str] = ()) -> dict[Shape, list[Layer]]:
    """The layers asked for, by shape, each shape once.

    Parameters
    ----------
    networks : sequence of str
        Parts of the names of networks, whatever the case; none stands for all.
    layers : sequence of str
        Parts of the names of layers, or of their shapes as text.

    Returns
    -------
    dict
        For each shape the layers that have it, also those of networks that were not asked for.

    Raises
    ------
    ValueError
        If nothing is left.
    """
    every = [layer for found in NETWORKS.values() for layer in found]
    wanted = {
        layer.shape: None
        for layer in every
        if _holds(layer.network, networks) and _holds(f"{layer.name} | {layer.shape}", layers)
    }
    if not wanted:
        raise ValueError(
            f"network and layer must name a layer of {', '.join(NETWORKS)}; got {list(networks)} and {list(layers)}."
        )
    return {shape: [layer for layer in every if layer.shape == shape] for shape in wanted}


def _holds(text: str, parts: Sequence[str]) -> bool:
    return not parts or any(part.lower() in text.lower() for part in parts)
