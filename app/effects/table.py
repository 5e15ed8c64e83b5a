"""The effects of the program, in the order in which they change a matte. A new one is a module and a row here."""

from __future__ import annotations

from app.core.edits import MatteEdit
from app.core.geometry import WHOLE_VIEW
from app.core.types import Floats
from app.effects.auto_framing import AutoFraming
from app.effects.base import Effect, FrameContext
from app.effects.light import Light
from app.effects.only_me import OnlyMe
from app.effects.zones import Zones

EFFECTS: tuple[type[Effect], ...] = (OnlyMe, AutoFraming, Zones, Light)

MAX_GAP_S = 0.5
"""A longer gap between two frames counts as this much time."""


class Effects:
    """The effects on one stream. Used on one thread; `prepare` precedes every step.

    Implements `app.core.edits.MatteEditor`.
    """

    def __init__(self) -> None:
        self._effects = [make() for make in EFFECTS]
        self._active: list[Effect] = []
        self._frame: FrameContext | None = None
        self._last_s = 0.0
        """Time of the last frame that was edited."""
        self.view = WHOLE_VIEW
        """The part of the last frame that its matte shows, if the network can crop."""
        self.alpha: Floats | None = None
        """The network's alpha of the last frame that was edited, of the whole frame; None while nothing is edited."""
        self.hides_everybody = False
        """Whether an effect hid everybody in the last frame."""

    def prepare(self, frame: FrameContext) -> Effects | None:
        """Prepare for the next frame; return this object for its step, None if no effect is on."""
        self._active = [effect for effect in self._effects if effect.prepare(frame, self._frame)]
        self._frame = frame
        if self._active:
            return self
        self.alpha, self.view, self.hides_everybody = None, WHOLE_VIEW, False
        return None

    def edit(self, small: Floats, alpha: Floats) -> MatteEdit:
        """Return the change of this frame's matte; see `MatteEditor`."""
        frame = self._frame
        assert frame is not None
        self.alpha = alpha
        step_s, self._last_s = min(max(frame.time_s - self._last_s, 0.0), MAX_GAP_S), frame.time_s
        gain = view = None
        lights: tuple[Floats, ...] = ()
        self.hides_everybody = False
        for effect in self._active:
            change = effect.edit(frame, small, alpha, step_s)
            view, lights = change.view or view, lights + change.lights
            if change.gain is not None:
                gain = change.gain if gain is None else gain * change.gain
                alpha = alpha * change.gain
                self.hides_everybody |= not change.gain.any()
        self.view = view or WHOLE_VIEW
        return MatteEdit(gain, view, lights)

    def reset(self) -> None:
        """Forget the stream: the next frame is of another one, or comes after a pause."""
        self.alpha = None
        if self._frame is not None:
            self._last_s = self._frame.time_s
        for effect in self._effects:
            effect.reset()

    def start_scene(self) -> None:
        """Forget what belongs to one scene; see `MatteEditor`."""
        for effect in self._active:
            effect.start_scene()
