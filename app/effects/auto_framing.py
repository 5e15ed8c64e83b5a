"""Auto-framing: the view follows head and shoulders of the people in the matte.

It moves like a calm camera. An operator decides where the camera should look: with a dead zone,
patience, and a size that does not pump.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.core.declaration import Hides, Model, look
from app.core.types import UNCHANGED, WHOLE_VIEW, MatteEdit, View
from app.effects.base import Effect, FrameContext, SeenFrame
from app.effects.finding import Person, find_people


@dataclass(frozen=True, slots=True)
class StyleValues:
    """The values of one style."""

    # Height of head and neck relative to the view.
    head_share: float
    # Space above the head relative to the view.
    headroom: float
    # Size of the view relative to the frame: the largest zoom is its inverse.
    min_size: float
    # How far the subject may leave its place before
    # the camera moves, relative to the view.
    dead_zone: float
    # The same for the size: difference of the logarithms.
    resize_zone: float
    # How long the subject must be outside before the camera moves.
    patience_s: float


STYLES: dict[str, StyleValues] = {
    "calm": StyleValues(0.26, 0.15, 1 / 2.2, 0.10, 0.20, 0.5),
    "close": StyleValues(0.38, 0.11, 1 / 3.0, 0.07, 0.16, 0.35),
}
# Width of the view relative to that of all heads and shoulders.
MARGIN = 1.25
# Half the width of the shoulders relative to the height of head and neck.
SHOULDERS_OF_HEAD = 1.3
# A move ends when the subject has stayed within this
# fraction of the dead zone for the patience.
SETTLED = 0.3
# The view is held for this long after the last person
# was seen; then it widens to the whole frame.
LOST_S = 2.0


@dataclass(frozen=True, slots=True)
class Shot:
    """Where to look: the centre of the view in fractions of the frame, and its size.

    Sizes are compared and moved by their logarithm, so that a zoom looks even at any size.
    """

    x: float
    y: float
    log_size: float

    @property
    def size(self) -> float:
        """Size of the view relative to the frame."""
        return math.exp(self.log_size)

    def inside(self) -> Shot:
        """Return the nearest shot that shows nothing beyond the frame."""
        log_size = min(0.0, self.log_size)
        half = math.exp(log_size) / 2
        x = min(max(self.x, half), 1 - half)
        y = min(max(self.y, half), 1 - half)
        return Shot(x, y, log_size)


WHOLE_SHOT = Shot(0.5, 0.5, 0.0)


def wanted_shot(people: Sequence[Person], style: StyleValues, aspect: float) -> Shot:
    """Return the shot that shows head and shoulders of all people.

    aspect: width of the frame divided by its height.
    """
    tallest = max(person.head_height for person in people)
    half_widths = [SHOULDERS_OF_HEAD * person.head_height / aspect for person in people]
    left = min(person.head_x - half for person, half in zip(people, half_widths, strict=True))
    right = max(person.head_x + half for person, half in zip(people, half_widths, strict=True))
    top = min(person.head_top for person in people)
    lowest = max(person.shoulders for person in people)
    size = max(tallest / style.head_share, style.min_size)
    if len(people) > 1:
        # One person alone is shown by the head; shoulders beyond the view do not widen it.
        size = max(size, (right - left) * MARGIN, (lowest - top) / (1 - style.headroom))
    size = min(size, 1.0)
    centre_x = (left + right) / 2
    centre_y = top + size * (0.5 - style.headroom)
    return Shot(centre_x, centre_y, math.log(size)).inside()


class Operator:
    """Holds the shot until the subject has left its place for a while.

    Then it follows the subject until that rests.
    """

    def __init__(self, style: StyleValues) -> None:
        self.style = style
        self.shot = WHOLE_SHOT
        self._moving = False
        self._resizing = False
        self._outside_s = 0.0
        self._wrong_size_s = 0.0
        self._settled_s = 0.0
        self._lost_s = 0.0
        # Where the subject was when it last began to rest.
        self._anchor = WHOLE_SHOT
        self._seen = False

    def choose_shot(self, wanted: Shot | None, step_s: float) -> Shot:
        """Return the shot to take, `step_s` after the last one.

        wanted: on the subject; None while nobody is seen.
        """
        if wanted is None:
            self._lost_s += step_s
            if self._lost_s >= LOST_S:
                self.shot = WHOLE_SHOT
                self._seen = False
                self._moving = False
                self._resizing = False
            return self.shot
        self._lost_s = 0.0
        if not self._seen:
            self._seen = True
            self._moving = True
            self._resizing = True
        self._measure_times(wanted, step_s)
        style = self.style
        if self._settled_s >= style.patience_s:
            self._moving = False
            self._resizing = False
        if self._outside_s >= style.patience_s:
            self._moving = True
            self._settled_s = 0.0
        # Twice the patience: somebody who leans forward for a moment shall not make the image pump.
        if self._wrong_size_s >= 2 * style.patience_s:
            self._resizing = True
            self._moving = True
            self._settled_s = 0.0
        if self._resizing:
            self.shot = wanted.inside()
        elif self._moving:
            self.shot = Shot(wanted.x, wanted.y, self.shot.log_size).inside()
        return self.shot

    def _measure_times(self, wanted: Shot, step_s: float) -> None:
        """Add up how long the subject has been outside its place, of a wrong size, and at rest."""
        style = self.style
        held = self.shot
        distance = max(abs(wanted.x - held.x), abs(wanted.y - held.y)) / held.size
        if distance > style.dead_zone:
            self._outside_s += step_s
        else:
            self._outside_s = 0.0
        if abs(wanted.log_size - held.log_size) > style.resize_zone:
            self._wrong_size_s += step_s
        else:
            self._wrong_size_s = 0.0
        anchor = self._anchor
        drift = max(abs(wanted.x - anchor.x), abs(wanted.y - anchor.y))
        left_anchor = drift > SETTLED * style.dead_zone * held.size
        if left_anchor or abs(wanted.log_size - anchor.log_size) > SETTLED * style.resize_zone:
            self._anchor = wanted
            self._settled_s = 0.0
        else:
            self._settled_s += step_s


# A longer gap between two frames moves the camera by no more than this time would.
MAX_STEP_S = 0.1


class CameraAxis:
    """One axis of the camera: follows a target at a limited speed along a path of minimum jerk.

    The path is planned anew at each step with the same horizon, so that it follows a target that
    moves. Position, velocity and acceleration are continuous.
    """

    def __init__(self, position: float, horizon_s: float) -> None:
        """horizon_s: time in which the camera would reach a target that rests."""
        # Position, velocity and acceleration.
        self._motion = position, 0.0, 0.0
        # Moves towards the target at no more than the
        # largest speed; the camera follows it.
        self._aim = position
        self._horizon_s = horizon_s

    def move_towards(self, target: float, max_speed: float, step_s: float) -> float:
        """Move for `step_s`; return the new position. max_speed: in units per second."""
        t = min(max(step_s, 0.0), MAX_STEP_S)
        total = self._horizon_s
        reach = max_speed * t
        self._aim += min(max(target - self._aim, -reach), reach)
        p, v, a = self._motion
        gap = self._aim - p
        # The path of least jerk (Flash and Hogan 1985): a quintic with
        # these values now, and at rest at the aim after the horizon.
        third = (10 * gap - 6 * v * total - 1.5 * a * total**2) / total**3
        fourth = (-15 * gap + 8 * v * total + 1.5 * a * total**2) / total**4
        fifth = (6 * gap - 3 * v * total - 0.5 * a * total**2) / total**5
        self._motion = (
            p + v * t + a * t**2 / 2 + third * t**3 + fourth * t**4 + fifth * t**5,
            v + a * t + 3 * third * t**2 + 4 * fourth * t**3 + 5 * fifth * t**4,
            a + 6 * third * t + 12 * fourth * t**2 + 20 * fifth * t**3,
        )
        return self._motion[0]


# Time constant of the damping of what the matte shows.
DAMPING_S = 0.15
# Time in which the camera would reach a subject that rests.
HORIZON_S = 0.9
# Largest speed along each axis, in widths or heights of the frame per second.
MAX_SPEED = 0.45
# Largest pan that is aimed at: the rest is room for the overshoot of the path.
MAX_PAN = 0.97
# Largest change of the pan (-1 to 1) per second,
# where the view fills nearly the whole frame.
MAX_PAN_RATE = 4.0
# Largest change of the logarithm of the view's size per second.
MAX_ZOOM_RATE = 0.35
# A view of at least this size shows the whole frame.
WHOLE_FROM = 0.9999


class FramingPath:
    """The views of one stream of frames. A change of the style keeps the present view."""

    def __init__(self, aspect: float) -> None:
        """aspect: width of the frame relative to its height."""
        self._aspect = aspect
        self._operator: Operator | None = None
        self._damped: Shot | None = None
        self._pan_x = CameraAxis(0.0, HORIZON_S)
        self._pan_y = CameraAxis(0.0, HORIZON_S)
        self._log_size = CameraAxis(WHOLE_SHOT.log_size, HORIZON_S)

    def next_view(self, people: Sequence[Person], style: StyleValues, step_s: float) -> View:
        """Return the view of a frame with these people, `step_s` after the last one."""
        if self._operator is None or self._operator.style != style:
            self._operator = Operator(style)
        wanted = wanted_shot(people, style, self._aspect) if people else None
        shot = self._operator.choose_shot(self._damp(wanted, step_s), step_s)
        size = math.exp(min(0.0, self._log_size.move_towards(shot.log_size, MAX_ZOOM_RATE, step_s)))
        if size >= WHOLE_FROM:
            size = 1.0
        # The axes move also while the whole frame is shown, so that their speed is continuous.
        pan_rate = min(MAX_PAN_RATE, 2 * MAX_SPEED / max(1 - size, 1e-6))
        pan_x = self._pan_x.move_towards(_pan(shot.x, shot.size), pan_rate, step_s)
        pan_y = self._pan_y.move_towards(_pan(shot.y, shot.size), pan_rate, step_s)
        if size == 1:
            return WHOLE_VIEW
        return View(_first_part(pan_x, size), _first_part(pan_y, size), size)

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
    """Return where a view lies in the frame: -1 at the left or top, 1 at the right or bottom.

    centre: in fractions of the frame. Along the pan the camera never looks beyond the frame, at any
    size, without a limit that would stop it abruptly.
    """
    if size >= WHOLE_FROM:
        return 0.0
    return min(MAX_PAN, max(-MAX_PAN, (2 * centre - size) / (1 - size) - 1))


def _first_part(pan: float, size: float) -> float:
    """Return left or top of the view at a pan, in fractions of the frame; the inverse of `_pan`."""
    return (1 - size) * (min(1.0, max(-1.0, pan)) + 1) / 2


class AutoFramingSettings(Model):
    """Whether the picture follows people."""

    # A zoom by hand overrides it: it is in effect while `FramingSettings.zoom` is 1.
    framing: Literal["off", "calm", "close"] = look(
        "off",
        "Crop the image to head and shoulders, and follow them.",
        title="Auto-framing",
        option="--auto-framing",
        hides=Hides(),
        resets=("framing",),
    )


class AutoFraming(Effect[AutoFramingSettings]):
    """Shows the part of the frame around head and shoulders, while no manual zoom overrides it."""

    section = "people"
    part = AutoFramingSettings

    def __init__(self) -> None:
        self._path: FramingPath | None = None

    def is_on(self, frame: FrameContext) -> bool:
        return self.own(frame).framing != "off" and frame.settings.framing.zoom == 1

    def begin_frame(self, frame: FrameContext, last: FrameContext | None, *, was_on: bool) -> None:
        follows = last is not None and frame.aspect == last.aspect and frame.time_s >= last.time_s
        if self._path is None or not was_on or not follows:
            self._path = FramingPath(frame.aspect)

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        assert self._path is not None
        style = STYLES[self.own(frame).framing]
        view = self._path.next_view(find_people(seen.alpha), style, seen.step_s)
        if view.is_whole:
            return UNCHANGED
        return MatteEdit(view=view)

    def reset(self) -> None:
        self._path = None
