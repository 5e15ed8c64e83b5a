"""CPU kernels of the frame step in numba, with a numpy fallback until numba is ready."""
