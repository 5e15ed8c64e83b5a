"""Kernels of the frame step for CPUs, compiled by numba."""
