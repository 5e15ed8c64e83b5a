"""The sizes of the refiner's windows around a cell. Imports no torch."""

WINDOW = 8
"""Pixels of a window's side, at half size as well as at full size."""
CONTEXT_CHANNELS, IMAGE_CHANNELS = 42, 6
"""Hidden features, coarse matte, frame and plate; frame and plate."""
