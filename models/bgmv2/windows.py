"""Sizes of the refiner's windows around a cell. Imports no torch."""

CELL = 4
"""Side of a cell in pixels."""
WINDOW = 8
"""Side of a window in pixels, at half size and at full size."""
CONTEXT_CHANNELS, IMAGE_CHANNELS = 42, 6
"""Channels: hidden features, coarse matte, frame and plate; frame and plate."""
