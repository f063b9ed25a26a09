"""Compiled convolution: Algorithms as Numba kernels on NumPy arrays."""

from kernels.conv import conv1d, conv2d, conv3d
from kernels.gradients import (
    conv1d_backward_filter,
    conv1d_backward_input,
    conv2d_backward_filter,
    conv2d_backward_input,
    conv3d_backward_filter,
    conv3d_backward_input,
)
from kernels.layer import Conv1d, Conv2d, Conv3d

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "conv1d",
    "conv1d_backward_filter",
    "conv1d_backward_input",
    "conv2d",
    "conv2d_backward_filter",
    "conv2d_backward_input",
    "conv3d",
    "conv3d_backward_filter",
    "conv3d_backward_input",
]
