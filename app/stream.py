"""One stream of frames: what becomes of a frame, live, in films and from Python.

crop → forget what does not precede → begin the frame of the effects → engine → checks → picture

Live matting decides *when* a frame is matted and by which engine, films own *files*, and the Python
API owns *errors*.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.core.geometry import cropped
from app.core.types import (
    WHOLE_VIEW,
    AlphaImage,
    Backdrop,
    BgrImage,
    Frame,
    Matte,
    Picture,
    PictureKind,
    magnified,
)
from app.effects.base import FrameContext
from app.effects.table import Effects
from app.matting.interface import MattingEngine, StepRequest
from app.matting.strict.rules import WAIT_FRAMES
from app.privacy.plausibility import HOLD_S, MatteCheck, mean_alpha
from app.settings import Settings

SelfTest = Callable[[MattingEngine, int, int], None]
"""(engine, width, height of its frames): raises ModelError if the engine fails on known frames."""


class Stream:
    """Mattes the frames of one source, one after the other. Used on one thread.

    `view` and `hides_everybody` describe the last picture; any thread may read them.
    """

    def __init__(
        self,
        self_test: SelfTest | None = None,
        *,
        hold_s: float = HOLD_S,
        settles_first: bool = False,
    ) -> None:
        """self_test: an alpha that fills the frame, or rises at once, must pass it to be shown.

        It is shown only once it has also lasted for `hold_s`. Films and the Python API leave that
        out: no frame of theirs may be left out, and what such a frame shows stays on the machine
        until somebody has looked at it. settles_first: strict mode sees the first frame of a scene
        as often as it hides everybody in a new scene, so that people are shown in a film from its
        first frame on. Live, the first frames pass anyway.
        """
        self._self_test = self_test
        self._settles_first = settles_first
        self._check = MatteCheck(hold_s)
        self._effects = Effects()
        self._engine: MattingEngine | None = None
        self._engines_used = 0
        # None where the next frame follows none.
        self._last_sequence: tuple[int, int] | None = None
        """(generation of the frame, number of the engine) of the last step."""
        self._alpha_of_last_picture: AlphaImage | None = None
        self._settled_scene: object = None
        # Derived once of the settings, which are one value until they change.
        self._settings_of_last_step: Settings | None = None
        self._hides: tuple[object, ...] = ()
        # The part of the frame that the picture shows.
        self.view = WHOLE_VIEW
        # Nobody is shown, because it is not certain who the selected person is.
        self.hides_everybody = False
        # The matte of the last step; it has passed the check of the composite.
        self.matte: Matte | None = None

    def use(self, engine: MattingEngine | None) -> None:
        """Matte the next frames with this engine; the caller builds and closes it."""
        if engine is not self._engine:
            self._engine = engine
            self._engines_used += 1

    def restart(self) -> None:
        """Forget the frames so far at the next step.

        It follows a pause, or belongs to another video.
        """
        self._last_sequence = None

    def step(
        self, frame: Frame, settings: Settings, backdrop: Backdrop, *, want_foreground: bool = False
    ) -> Picture | None:
        """Return the picture of the next frame; None while its alpha is not plausible yet.

        frame: cropped here as `settings.framing` says; one that is a crop already, with `whole`, is
        taken as it is. settings: with the crop and the background that are in use. backdrop: of the
        size of the frame, for all of it. Raises what the engine raises, and ModelError for a matte
        that fails its checks; the next frame then starts the stream anew.
        """
        engine = self._engine
        assert engine is not None, "use an engine first"
        if settings is not self._settings_of_last_step:
            self._settings_of_last_step = settings
            self._hides = settings.hides
        zoom = settings.framing.zoom
        if zoom != 1:
            backdrop = magnified(backdrop, zoom)
            if frame.whole is None:
                frame = cropped(frame, settings.framing)
        sequence = frame.generation, self._engines_used
        self._follow(engine, sequence)
        matte = self._matte(engine, frame, settings, backdrop, want_foreground)
        shown = frame
        if matte.frame is not None:  # auto-framing has chosen a part of it
            shown = replace(frame, image=matte.frame, whole=frame.image)
        self._check.check(matte, shown, backdrop)
        is_plausible = self._is_plausible(engine, frame, matte, sequence)
        self._last_sequence = sequence
        self.matte = matte
        if not is_plausible:
            self._alpha_of_last_picture = None
            return None
        self._remember(matte)
        return Picture(
            matte.composite,
            PictureKind.COMPOSITE,
            matte.alpha,
            matte.foreground,
            shown,
            self._hides,
        )

    def _follow(self, engine: MattingEngine, sequence: tuple[int, int]) -> None:
        """Reset what does not belong to the frame before this one.

        Until the step has succeeded, the next frame follows none: an engine that failed has lost
        its state.
        """
        previous = self._last_sequence
        self._last_sequence = None
        if sequence == previous:
            return
        is_same_source = previous is not None and previous[0] == sequence[0]
        if is_same_source:
            # Another engine: the people of the last picture are still there.
            engine.reset(self._alpha_of_last_picture)
        else:
            engine.reset()
            self._effects.reset()

    def _matte(
        self,
        engine: MattingEngine,
        frame: Frame,
        settings: Settings,
        backdrop: Backdrop,
        want_foreground: bool,
    ) -> Matte:
        context = FrameContext(
            settings=settings,
            size=frame.size,
            time_s=frame.captured_at_s,
            backdrop=backdrop,
            camera=frame.source.id,
            orientation=frame.source.orientation,
        )
        editor = self._effects.begin_frame(context)
        request = StepRequest(
            frame.image,
            backdrop,
            settings.matting.edges,
            settings.strict.level,
            editor,
            want_foreground=want_foreground,
        )
        matte = engine.step(request)
        if self._settles_first and self._begins_scene(engine, frame.image):
            is_strict = request.strict != "off" and engine.info.strict_mode
            if is_strict:
                for _ in range(WAIT_FRAMES):
                    matte = engine.step(request)
        return matte

    def _begins_scene(self, engine: MattingEngine, image: BgrImage) -> bool:
        """Return whether the engine has found a cut at this frame, or another size."""
        scene = image.shape, getattr(engine, "cuts", 0)
        begins = scene != self._settled_scene
        self._settled_scene = scene
        return begins

    def _is_plausible(
        self,
        engine: MattingEngine,
        frame: Frame,
        matte: Matte,
        sequence: tuple[int, int],
    ) -> bool:
        self_test = self._self_test
        if self_test is None:
            return True
        width, height = frame.size
        return self._check.accepts_alpha(
            mean_alpha(matte.alpha),
            time.monotonic(),
            sequence,
            lambda: self_test(engine, width, height),
        )

    def _remember(self, matte: Matte) -> None:
        """Keep what the next step and the status need of a matte that is shown."""
        effects = self._effects
        self.hides_everybody = effects.hides_everybody
        # Networks that refine cells do not crop: they show the frame.
        self.view = WHOLE_VIEW
        if matte.frame is not None:
            self.view = effects.view
        # A crop of auto-framing is of the matte alone: engines need that of the whole frame.
        if effects.alpha is None:
            self._alpha_of_last_picture = matte.alpha
        else:
            self._alpha_of_last_picture = (effects.alpha * 255).astype(np.uint8)
