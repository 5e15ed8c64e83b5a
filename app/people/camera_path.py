"""The path of a calm camera: minimum jerk, limited speed."""

from __future__ import annotations

from dataclasses import dataclass

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
