"""The interface of exported networks: parameters of the steps that a runtime does itself, and names
of inputs and outputs. Without torch.

Names of the arrays that the parts of an exported network read and write:

`small`: the small frame. `plate`: for a network that sees a plate, the plate at its size
(3 channels) and `differences` (2; see `models.mattecam.network`). `half1`, `half2`, ...: the small
frame at 1/2, 1/4, ... `state0`, ...: states before the step. `next0`, ...: states after the step.
`matte`: input of the guided filter. `cells`: foreground residual and logit of alpha of 2x2 pixels
each, 16 channels in the order of torch's `pixel_shuffle`. `slope`, `offset` and `coarse`: the
coefficients, if there is no guided filter. Each is (1, C, h, w) in PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """Parameters of a network's decision stage. Lengths are in pixels of the small frame.

    A network that is unsure of a region gives it an intermediate alpha, so that the background
    shows through a whole chair or bystander. The decision stage makes such a region background or
    foreground as a whole; only a band along the contour, where hair, motion blur and fabric are
    translucent, keeps the alpha of the network:

        mean = means of alpha over 3x3 pixels
        foreground = clamp((mean - 1/2 + hysteresis * last) / width + 1/2, 0, 1)
        alpha = clamp(alpha, box(erode(foreground)), box(dilate(foreground)))

    `last` is 2 * foreground - 1 of the previous frame, 0 before the first. Borders are replicated.
    """

    # Radius of erosion and dilation: how far from the contour alpha is unchanged.
    band: int = 3
    # Radius of the box: over which the limits fade in.
    ramp: int = 2
    # Difference between a mean alpha and 0.5 below which the previous decision weighs more.
    hysteresis: float = 0.15
    # Range of mean alpha over which the decision goes from background to foreground; it damps
    # flicker.
    width: float = 0.3


@dataclass(frozen=True, slots=True)
class ForgettingRule:
    """Parameter of the stage that clears memories where the picture changes. Colours are in 0..1.

    A recurrent network that was trained on calm sequences shows the background for some frames
    where a fast person was. Before each step, its memories are therefore multiplied by `keep`,
    0..1:

        means = the small frame, halved twice (means of 2x2 pixels; incomplete squares at the
                right and lower border)
        change = largest difference of a channel from the means of the frame before
        keep = 1 - dilate(clamp(change / rule.change - 1, 0, 1)) over 3x3 means

    at 1/4, and halved again for the memories at 1/8 and 1/16.
    """

    # Change from which memories begin to be cleared; at twice as much nothing is kept.
    change: float = 0.1


Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LearnedFilterWeights:
    """RVM's deep guided filter with folded normalizations; its input is the decoder's features
    (C, h, w).

    1x1 convolutions are matrices (outputs, inputs + 1) whose last column is the bias.
    """

    # (4, C + 1): from the features to [foreground residual (3), alpha].
    project: Floats
    # (4, 9): the 3x3 box filter of each channel.
    box: Floats
    # The three 1x1 convolutions that predict the filter's slopes: (C, 8 + C + 1), (C, C + 1) and
    # (4, C + 1).
    first: Floats
    second: Floats
    third: Floats


@dataclass(frozen=True, slots=True)
class FastFilterWeights:
    """The fast guided filter; its input is the matte (4, h, w): [foreground residual (3),
    alpha].
    """

    # Regularization: added to the variance of the frame (0..1) in a window.
    epsilon: float
    # Whether means at the borders are those of the pixels inside the image; False: of zeros outside
    # it.
    renormalize_borders: bool


FilterWeights = LearnedFilterWeights | FastFilterWeights


# Constants of the comparison with a plate, which `models.mattecam.network.changed` makes.
# Pixels of the small frame by which the plate may be off.
REACH = 2
# Pixels of the small frame around a difference in which a person may be.
NEAR = 10
# Differences of a colour in 0..1: up to SAME the frame is the plate, from OTHER on it is not.
SAME = 0.015
OTHER = 0.03
# Of the plate and its `differences`: 3 and 2.
PLATE_CHANNELS = 5

# Constants of the refinement in Background Matting V2.
# Side in pixels of the cells that are refined.
CELL = 4
# Side of the window around a cell in pixels, at half size and at full size.
WINDOW = 8
# Channels of the windows at half size: 32 hidden features, 4 of the coarse matte, 3 of the frame
# and 3 of the plate; and at full size: 3 of the frame and 3 of the plate.
CONTEXT_CHANNELS = 42
IMAGE_CHANNELS = 6

# Outputs of a network without a guided filter.
COEFFICIENTS = ("slope", "offset", "coarse")


def state_names(count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of `count` states before and after a step."""
    before = tuple(f"state{index}" for index in range(count))
    after = tuple(f"next{index}" for index in range(count))
    return before, after
