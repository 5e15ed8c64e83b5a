"""Sizes derived from the frame's size and the downsample ratio."""


def small_size(height: int, width: int, ratio: float) -> tuple[int, int]:
    """Return (height, width) of the small frame: the products with `ratio`, rounded down.

    Raises ValueError if the small frame would be empty or the ratio is outside 0..1.
    """
    if not 0 < ratio <= 1:
        raise ValueError(f"The downsample ratio must be above 0 and at most 1, not {ratio}.")
    small = int(height * ratio), int(width * ratio)
    if min(small) < 1:
        raise ValueError(f"A frame of {width}x{height} is too small for the downsample ratio {ratio}.")
    return small


def feature_sizes(height: int, width: int, levels: int = 4) -> list[tuple[int, int]]:
    """Return (height, width) of the features at 1/2, 1/4, 1/8, ...; each is half the previous one, rounded up."""
    sizes = []
    for _ in range(levels):
        height, width = (height + 1) // 2, (width + 1) // 2
        sizes.append((height, width))
    return sizes
