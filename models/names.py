"""The names of the arrays that the parts of an exported network read and write.

`small`, the small frame; `half1`, `half2` ..., the small frame at 1/2, 1/4 ...;
`state0` ..., the states before the step, and `next0` ..., those after it; `given`, the input of the guided filter;
`slope`, `offset` and `coarse`, the coefficients, where there is no guided filter. Each is (1, C, h, w) in PyTorch.
"""

COEFFICIENTS = ("slope", "offset", "coarse")


def state_names(count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of `count` states before and after a step."""
    return tuple(f"state{index}" for index in range(count)), tuple(f"next{index}" for index in range(count))
