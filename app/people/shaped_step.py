"""One step of an engine whose matte is shaped after the user's settings: people, zones, framing, place."""

from __future__ import annotations

import numpy as np

from app.core.errors import ModelError
from app.core.messages.matting import ModelText
from app.core.settings import EdgeSettings, FramingSettings, Settings
from app.core.shaping import WHOLE_VIEW, View
from app.core.types import AlphaImage, Backdrop, BgrImage, Matte
from app.matting.base.interface import MattingEngine, ShapingEngine
from app.people.shaper import PeopleShaper


class ShapedStep:
    """Follows the people of one stream. Used on one thread; `begin` precedes every `step`."""

    def __init__(self) -> None:
        self._people = PeopleShaper()
        self.shapes = False
        """Whether the matte of this frame is shaped, so that its alpha is not the network's."""

    def begin(
        self, settings: Settings, framing: FramingSettings, size: tuple[int, int], camera: str, now_s: float
    ) -> None:
        """Prepare for the next frame.

        framing: the crop that the frame has been given. size: (width, height) of the frame in pixels. camera: its
        stable id. now_s: time of the frame on the stream's clock.
        """
        self.shapes = self._people.begin(
            settings.people, framing, size, camera, now_s, settings.selected, settings.placement
        )

    def step(
        self, engine: MattingEngine, image: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool
    ) -> Matte:
        """Return the matte of the frame. Raises ModelError, also where the engine cannot shape mattes."""
        if not self.shapes:
            return engine.step(image, backdrop, edges, want_foreground=want_foreground)
        if not isinstance(engine, ShapingEngine):
            raise ModelError(ModelText.NO_SHAPING(executor=engine.info.executor))
        return engine.step_shaped(image, backdrop, edges, self._people, want_foreground=want_foreground)

    def whole_alpha(self, matte: Matte) -> AlphaImage:
        """Return alpha of the whole frame before it was shaped, which may be smaller than the frame."""
        alpha = self._people.alpha
        return matte.alpha if alpha is None else (alpha * 255).astype(np.uint8)

    def forget(self) -> None:
        """Forget the stream: the next frame is of another one."""
        self._people.forget()

    @property
    def view(self) -> View:
        """The part of the last frame that was shown; see `PeopleShaper`."""
        return self._people.view if self.shapes else WHOLE_VIEW

    @property
    def moves(self) -> bool:
        """Whether the person is moved or scaled, so that the matte shows less or more of it than the frame."""
        return self._people.moves

    @property
    def keeps_room(self) -> bool:
        """Whether keep zones show a part of the room."""
        return self._people.keeps_room

    @property
    def hides_person(self) -> bool:
        """Whether nobody is shown because the selected person is not certain."""
        return self._people.hides_person

    def awaits_movement(self, matte: Matte) -> bool:
        """Return whether somebody whom the strict level hides in this matte would be shown after moving."""
        return matte.hides_person and (self._people.hides_person or not self._people.shows_one)
