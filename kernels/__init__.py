"""Compiled convolution: Algorithms as Numba kernels on NumPy arrays."""

from kernels.conv import conv1d, conv2d, conv3d
from kernels.layer import Conv1d, Conv2d, Conv3d

__all__ = ["Conv1d", "Conv2d", "Conv3d", "conv1d", "conv2d", "conv3d"]
