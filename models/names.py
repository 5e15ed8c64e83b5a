"""Names of the arrays that the parts of an exported network read and write.

`small`: the small frame. `plate`: for a network that sees a plate, the plate at its size (3 channels) and `differences`
(2; see `models.mattecam.plate`). `half1`, `half2`, ...: the small frame at 1/2, 1/4, ... `state0`, ...: states before
the step. `next0`, ...: states after the step. `matte`: input of the guided filter. `cells`: foreground residual and
logit of alpha of 2x2 pixels each, 16 channels in the order of torch's `pixel_shuffle`. `slope`, `offset` and `coarse`:
the coefficients, if there is no guided filter. Each is (1, C, h, w) in PyTorch.
"""

PLATE_CHANNELS = 5
COEFFICIENTS = ("slope", "offset", "coarse")


def state_names(count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of `count` states before and after a step."""
    return tuple(f"state{index}" for index in range(count)), tuple(f"next{index}" for index in range(count))
