"""Auto-framing: the view follows head and shoulders of the people in the matte, on the path of a calm camera."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.matte_edit import WHOLE_VIEW, View
from app.people.operator import STYLES, WHOLE_SHOT, FramingStyle, Operator, Shot, wanted_shot
from app.people.regions import Region

MAX_STEP_S = 0.1
"""A longer gap between two frames moves the camera by no more than this time would."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Position, velocity and acceleration along one axis."""

    position: float
    velocity: float = 0.0
    acceleration: float = 0.0


def minimum_jerk_step(motion: Motion, target: float, horizon_s: float, step_s: float) -> Motion:
    """Return the motion after `step_s` on the path of least jerk that rests at `target` after `horizon_s`.

    The path is planned anew at each step with the same horizon, so that it follows a target that moves. Position,
    velocity and acceleration are continuous.
    """
    t, total = step_s, horizon_s
    p, v, a = motion.position, motion.velocity, motion.acceleration
    gap = target - p
    # Quintic with these values now, and at rest at the target after the horizon.
    third = (10 * gap - 6 * v * total - 1.5 * a * total**2) / total**3
    fourth = (-15 * gap + 8 * v * total + 1.5 * a * total**2) / total**4
    fifth = (6 * gap - 3 * v * total - 0.5 * a * total**2) / total**5
    return Motion(
        p + v * t + a * t**2 / 2 + third * t**3 + fourth * t**4 + fifth * t**5,
        v + a * t + 3 * third * t**2 + 4 * fourth * t**3 + 5 * fifth * t**4,
        a + 6 * third * t + 12 * fourth * t**2 + 20 * fifth * t**3,
    )


class CameraAxis:
    """One axis of the camera: follows a target at a limited speed along a path of minimum jerk."""

    def __init__(self, position: float, horizon_s: float) -> None:
        """horizon_s: time in which the camera would reach a target that rests."""
        self._motion = Motion(position)
        self._aim = position
        """Moves towards the target at no more than the largest speed; the camera follows it."""
        self._horizon_s = horizon_s

    @property
    def motion(self) -> Motion:
        """The present motion."""
        return self._motion

    def follow(self, target: float, max_speed: float, step_s: float) -> float:
        """Move for `step_s` towards the target; return the new position. max_speed: in units per second."""
        step_s = min(max(step_s, 0.0), MAX_STEP_S)
        reach = max_speed * step_s
        self._aim += min(max(target - self._aim, -reach), reach)
        self._motion = minimum_jerk_step(self._motion, self._aim, self._horizon_s, step_s)
        return self._motion.position


DAMPING_S = 0.15
"""Time constant of the damping of what the matte shows."""
HORIZON_S = 0.9
"""Time in which the camera would reach a subject that rests."""
MAX_SPEED = 0.45
"""Largest speed along each axis, in widths or heights of the frame per second."""
MAX_PAN = 0.97
"""Largest pan that is aimed at: the rest is room for the overshoot of the path."""
MAX_PAN_RATE = 4.0
"""Largest change of the pan (-1 to 1) per second, where the view fills nearly the whole frame."""
MAX_ZOOM_RATE = 0.35
"""Largest change of the logarithm of the view's size per second."""
WHOLE_FROM = 0.9999
"""A view of at least this size shows the whole frame."""


class AutoFraming:
    """One stream of frames: from people to views. A change of the style keeps the present view."""

    def __init__(self, style: FramingStyle, aspect: float) -> None:
        """aspect: width of the frame relative to its height."""
        self.aspect = aspect
        self._style = style
        self._operator = Operator(STYLES[style])
        self._damped: Shot | None = None
        self._pan_x, self._pan_y = (CameraAxis(0.0, HORIZON_S) for _ in range(2))
        self._log_size = CameraAxis(WHOLE_SHOT.log_size, HORIZON_S)

    @property
    def style(self) -> FramingStyle:
        """The style in use."""
        return self._style

    def set_style(self, style: FramingStyle) -> None:
        """Use another style from the next frame on."""
        if style != self._style:
            self._style, self._operator = style, Operator(STYLES[style])

    def follow(self, people: Sequence[Region], step_s: float) -> View:
        """Return the view of a frame, `step_s` after the last one."""
        wanted = wanted_shot(people, STYLES[self._style], self.aspect) if people else None
        shot = self._operator.look(self._damp(wanted, step_s), step_s)
        size = math.exp(min(0.0, self._log_size.follow(shot.log_size, MAX_ZOOM_RATE, step_s)))
        if size >= WHOLE_FROM:
            size = 1.0
        pan_rate = min(MAX_PAN_RATE, 2 * MAX_SPEED / max(1 - size, 1e-6))
        left, top = (
            (1 - size) * (_limited(axis.follow(_pan(at, shot.size), pan_rate, step_s)) + 1) / 2
            for axis, at in ((self._pan_x, shot.x), (self._pan_y, shot.y))
        )
        return WHOLE_VIEW if size == 1 else View(left, top, size)

    def _damp(self, wanted: Shot | None, step_s: float) -> Shot | None:
        last = self._damped
        if wanted is None or last is None:
            self._damped = wanted
            return wanted
        rate = 1 - math.exp(-step_s / DAMPING_S)
        self._damped = Shot(
            last.x + rate * (wanted.x - last.x),
            last.y + rate * (wanted.y - last.y),
            last.log_size + rate * (wanted.log_size - last.log_size),
        )
        return self._damped


def _pan(centre: float, size: float) -> float:
    """Return where a view of this size lies in the frame: -1 at the left or top, 1 at the right or bottom.

    Along the pan the camera never looks beyond the frame, at any size, without a limit that would stop it abruptly.
    """
    if size >= WHOLE_FROM:
        return 0.0
    return min(MAX_PAN, max(-MAX_PAN, (2 * centre - size) / (1 - size) - 1))


def _limited(pan: float) -> float:
    return min(1.0, max(-1.0, pan))
