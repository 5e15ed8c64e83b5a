"""The matting engine: runs a backend, validates its input and output, and handles its failures; several at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.core.errors import ModelError
from app.core.matting_settings import shown_strength
from app.core.settings import EdgeSettings
from app.core.text import t
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Matte, check_bgr
from app.matting.base.interface import (
    Backend,
    EngineInfo,
    EngineState,
    MatteEditor,
    NotAMatteError,
    StepGeometry,
    backend_errors,
    prefixed,
    under,
)
from app.matting.engine.motion import Motion

_log = logging.getLogger(__name__)
MakeBackend = Callable[[StepGeometry], Backend]
MakeGeometry = Callable[[int, int], StepGeometry]


class FrameEngine:
    """Implements `MattingEngine` over any backend.

    A frame of another size creates a new backend with a fresh state. A scene cut resets the state, and so does a
    failure, so that neither affects the next frame.
    """

    def __init__(
        self,
        model: str,
        make_backend: MakeBackend,
        make_geometry: MakeGeometry,
        width: int,
        height: int,
        *,
        strict_mode: bool = True,
        live: bool = False,
    ) -> None:
        """Create the backend for frames of `width` by `height`. Raises ModelError if that fails.

        strict_mode: whether strict mode may filter the mattes. The networks with a plate tell people from the
        background by the plate, and `PlateFit` would take people who are hidden at first for a changed background.
        live: the network may spare work where little moves; see `Reuse`.
        """
        self._model = model
        self._strict_mode = strict_mode
        self._make_backend = make_backend
        self._make_geometry = make_geometry
        self._geometry = make_geometry(width, height)
        self.backend = make_backend(self._geometry)
        """The backend for the size of the last frame."""
        self.info = self._described()
        """See `MattingEngine.info`."""
        self._motion = Motion(live=live)
        self.cuts = 0
        """Number of scene cuts so far."""
        self._closed = False

    def step(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        edit: MatteEditor | None = None,
        *,
        want_foreground: bool = False,
    ) -> Matte:
        """Matte the next frame; see `MattingEngine.step`."""
        frame, backdrop, edges = self.prepare(frame, backdrop, edges)
        reuse = self._motion.reuse(edges)
        with backend_errors(self._model, self.backend.device, self.backend.precision):
            try:
                return self.backend.step(frame, backdrop, edges, edit, want_foreground=want_foreground, reuse=reuse)
            except (NotAMatteError, RuntimeError):
                self._reset_failed()
                raise

    def prepare(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings
    ) -> tuple[BgrImage, Backdrop, EdgeSettings]:
        """Check the input of a step, fit the backend to it, and return what the backend takes.

        The backend is made anew for another size, and reset by a scene cut.

        Raises ModelError, TypeError or ValueError.
        """
        if self._closed:
            raise ModelError(
                t("The model {model} was closed and accepts no more frames; choose the model again.", model=self._model)
            )
        check_bgr(frame)
        if isinstance(backdrop, BlurredBackground):
            backdrop = replace(backdrop, strength=shown_strength(backdrop.strength, edges.strict))
        else:
            check_bgr(backdrop)
            if backdrop.shape != frame.shape:
                raise ValueError(f"the backdrop is {backdrop.shape}, but the frame {frame.shape}")
            backdrop = np.ascontiguousarray(backdrop)
        frame = np.ascontiguousarray(frame)
        self._fit(frame.shape[1], frame.shape[0])
        if self._motion.is_cut(frame):
            self.cuts += 1
            with backend_errors(self._model, self.backend.device, self.backend.precision):
                self.backend.reset()
        return frame, backdrop, edges if self._strict_mode else edges.replace(strict="off")

    def state(self) -> EngineState:
        """Return what the engine remembers of its stream. Raises ModelError if the network cannot give it."""
        backend = self.backend
        if self._closed:
            raise ModelError(
                f"The state of the model {self._model} cannot be saved; choose a model without an empty-background "
                "plate."
            )
        size = self._geometry.width, self._geometry.height
        with backend_errors(self._model, backend.device, backend.precision):
            arrays = {**backend.state(), **prefixed("cut", self._motion.state())}
        return EngineState(self._model, backend.name, backend.precision, size, self._geometry.ratio, arrays)

    def load_state(self, state: EngineState) -> None:
        """Continue after the frame at which `state` was saved.

        state: as `checked_state` returns it. Raises ModelError for one of another engine, which leaves the stream as
        it was.
        """
        if self._closed:
            raise ModelError(
                f"The state of the model {self._model} cannot be saved; choose a model without an empty-background "
                "plate."
            )
        backend, geometry = self.backend, self._geometry
        if state.size != (geometry.width, geometry.height):
            geometry = self._make_geometry(*state.size)
        own = self._model, backend.name, backend.precision, geometry.ratio
        if own != (state.model, state.executor, state.precision, state.downsample_ratio):
            raise ModelError(
                f"The state was saved with {state.model} under other settings; this stream runs {self._model}."
            )
        if geometry is not self._geometry:
            backend = self._make_backend(geometry)
        with backend_errors(self._model, backend.device, backend.precision):
            before = backend.state()
            try:
                backend.load_state(state.arrays)
                self._motion.load_state(under("cut", state.arrays))
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                if backend is self.backend:
                    backend.load_state(before)
                else:
                    backend.close()
                raise ModelError(
                    f"The state was saved with {state.model} under other settings; this stream runs {self._model}."
                ) from error
        self._take(geometry, backend)

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Forget the frames seen so far."""
        if not self._closed:
            self._motion.forget()
            self.backend.reset(seen)

    def close(self) -> None:
        """Release the device. Idempotent."""
        if not self._closed:
            self._closed = True
            self.backend.close()

    def _reset_failed(self) -> None:
        """Reset the backend after a failure; a device that is lost refuses even that."""
        self._motion.see_all()
        try:
            self.backend.reset()
        except RuntimeError as error:
            _log.warning("The state of a failed model could not be reset.", exc_info=error)

    def _fit(self, width: int, height: int) -> None:
        if (width, height) == (self._geometry.width, self._geometry.height):
            return
        geometry = self._make_geometry(width, height)
        self._take(geometry, self._make_backend(geometry))
        self._motion.see_all()

    def _take(self, geometry: StepGeometry, backend: Backend) -> None:
        if backend is not self.backend:
            self.backend.close()
            self._geometry, self.backend = geometry, backend
            self.info = self._described()

    def _described(self) -> EngineInfo:
        return EngineInfo(
            model=self._model,
            executor=self.backend.name,
            precision=self.backend.precision,
            device=self.backend.device,
            downsample_ratio=self._geometry.ratio,
            small_size=(self._geometry.small_width, self._geometry.small_height),
        )
