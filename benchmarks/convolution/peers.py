"""The libraries to compare with, each as its users call it; one that is not installed is left out."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import winograd as wg
from convolution.contestants import Contestant
from convolution.shape import Shape

PACKAGES = {"PyTorch": ("torch",), "ncnn": ("ncnn",), "onnxruntime": ("onnx", "onnxruntime")}
"""The packages that a peer needs."""

NAMES = {"PyTorch": ("torch NCHW", "torch NHWC"), "ncnn": ("ncnn",), "onnxruntime": ("onnxruntime",)}
"""The contestants of a peer: one for each layout it has."""


def missing() -> list[str]:
    """One line for each peer that is not installed, with what installs it."""
    lines = []
    for peer, packages in PACKAGES.items():
        absent = [package for package in packages if not importlib.util.find_spec(package)]
        if absent:
            lines.append(f"{peer} is left out: pip install {' '.join(absent)}")
    return lines


def is_installed(peer: str) -> bool:
    """Whether all that this peer needs is there."""
    return all(importlib.util.find_spec(package) for package in PACKAGES[peer])


def peers(x: np.ndarray, w: np.ndarray, shape: Shape, threads: int) -> Iterator[Contestant]:
    """The installed peers that have a fast path for this shape."""
    if is_installed("PyTorch"):
        yield torch_contestant(x, w, shape, threads, last=False)
        yield torch_contestant(x, w, shape, threads, last=True)
    if is_installed("ncnn") and shape.is_plain_3x3 and len(x) == 1:
        yield _ncnn(x, w, shape, threads)
    if is_installed("onnxruntime"):
        yield _onnxruntime(x, w, shape, threads)


def torch_contestant(x: np.ndarray, w: np.ndarray, shape: Shape, threads: int, last: bool) -> Contestant:
    """PyTorch's functional conv2d or conv1d; a signal with channels last is an image of height 1 to it."""
    import torch

    functional = torch.nn.functional
    data, filters = torch.tensor(x), torch.tensor(w)
    convolve: Callable[..., Any] = functional.conv2d if shape.dims == 2 or last else functional.conv1d
    padding = shape.padding
    if shape.dims == 1 and last:
        data, filters, padding = data.unsqueeze(2), filters.unsqueeze(2), (0, *padding)
    if last:
        data, filters = (t.to(memory_format=torch.channels_last) for t in (data, filters))
    stride = shape.stride if len(padding) == shape.dims else (1, shape.stride)

    def call() -> Any:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        with torch.no_grad():
            return convolve(data, filters, stride=stride, padding=padding, groups=shape.groups)

    return Contestant(
        f"torch {'NHWC' if last else 'NCHW'}", call,
        lambda y: y.numpy() if len(padding) == shape.dims else y.numpy()[:, :, 0], "direct",
    )


def _ncnn(x: np.ndarray, w: np.ndarray, shape: Shape, threads: int) -> Contestant:
    """A net of one Convolution, in float32 throughout; its filters are transformed when it is loaded."""
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_winograd_convolution = True
    for option in dir(net.opt):
        if option.startswith(("use_fp16_", "use_bf16_", "use_int8_", "use_vulkan")):
            setattr(net.opt, option, False)
    # 0: filters, 1: taps, 3: stride, 4: padding, 5: bias, 6: numbers in the filter. Taps other than 3 do not come here.
    parameters = f"0={shape.filters} 1={shape.taps[0]} 3=1 4={shape.padding[0]} 5=0 6={w.size}"
    text = f"7767517\n2 2\nInput x 0 1 x\nConvolution y 1 1 x y {parameters}\n"
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.write(bytes(4) + w.tobytes())  # the four zeros: float32 follows
        file.flush()
        if net.load_param_mem(text) or net.load_model(file.name):
            raise RuntimeError(f"ncnn does not load a layer of {shape}.")
    data = ncnn.Mat(x[0]).clone()  # a copy of its own, aligned as it wants it

    def call() -> Any:
        extractor = net.create_extractor()
        extractor.input("x", data)
        return extractor.extract("y")[1]

    # It takes F(2, 3), F(4, 3) or F(6, 3), whose tolerance is the widest.
    widest = wg.Algorithm(wg.toom_cook(6, 3, [0, 1, -1, 2, -2, "1/2", "-1/2", wg.INF]), dims=2, dtype="float32")
    return Contestant("ncnn", call, lambda y: np.array(y)[None], widest)


def _onnxruntime(x: np.ndarray, w: np.ndarray, shape: Shape, threads: int) -> Contestant:
    """A model of one Conv. Spinning of its threads (session.intra_op.allow_spinning) stays on, as by default."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    node = helper.make_node(
        "Conv", ["x", "w"], ["y"], pads=[*shape.padding, *shape.padding], strides=[shape.stride] * shape.dims,
        group=shape.groups,
    )
    result = [len(x), shape.filters, *shape.output]
    graph = helper.make_graph(
        [node], "convolution", [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(x.shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, result)], [numpy_helper.from_array(w, "w")],
    )
    # Versions that every onnxruntime of these years reads; onnx would write its own newest.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    data = {"x": onnxruntime.OrtValue.ortvalue_from_numpy(x)}
    return Contestant(
        "onnxruntime", lambda: session.run_with_ort_values(["y"], data)[0], lambda y: y.numpy(), "direct"
    )
