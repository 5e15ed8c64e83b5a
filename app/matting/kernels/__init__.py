"""The arithmetic of the frame step in numba, and in numpy where numba is not ready."""
