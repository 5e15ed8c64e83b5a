"""The matting engine: runs an executor, validates its input and output, and handles its failures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.core.blur_scale import full_strength
from app.core.errors import ModelError
from app.core.messages.command_line import ApiText
from app.core.messages.matting import ModelText
from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Matte, check_bgr
from app.matting.base.edges import light_plan
from app.matting.base.failures import executor_errors
from app.matting.base.geometry import StepGeometry
from app.matting.base.interface import (
    EngineInfo,
    Executor,
    MatteShaper,
    NotAMatteError,
    OverlappingExecutor,
    ShapingExecutor,
)
from app.matting.base.state import EngineState, Resumable, prefixed, under
from app.matting.engine.scene_cut import CutDetector
from app.matting.light.finished import FinishedLight, without_light

_log = logging.getLogger(__name__)
MakeExecutor = Callable[[StepGeometry], Executor]
MakeGeometry = Callable[[int, int], StepGeometry]


class FrameEngine:
    """Implements `MattingEngine` over any executor.

    A frame of another size creates a new executor with a fresh state. A scene cut resets the state, and so does a
    failure, so that neither affects the next frame.
    """

    def __init__(
        self, model: str, make_executor: MakeExecutor, make_geometry: MakeGeometry, width: int, height: int
    ) -> None:
        """Create the executor for frames of `width` by `height`. Raises ModelError if that fails."""
        self._model = model
        self._make_executor = make_executor
        self._make_geometry = make_geometry
        self._geometry = make_geometry(width, height)
        self._executor = make_executor(self._geometry)
        self._cuts = CutDetector()
        self.cuts = 0
        """Number of scene cuts so far."""
        self._light = FinishedLight()
        self._closed = False

    @property
    def info(self) -> EngineInfo:
        """Return the model, executor, precision, device and ratio in use."""
        return EngineInfo(
            model=self._model,
            executor=self._executor.name,
            precision=self._executor.precision,
            device=self._executor.device,
            downsample_ratio=self._geometry.ratio,
            small_size=(self._geometry.small_width, self._geometry.small_height),
        )

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        """Return the matte and composite of the next frame; see `MattingEngine.step`."""
        return self.step_shaped(frame, backdrop, edges, None, want_foreground=want_foreground)

    def step_shaped(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        shaper: MatteShaper | None,
        *,
        want_foreground: bool = False,
    ) -> Matte:
        """Return the shaped matte of the next frame; see `ShapingEngine.step_shaped`."""
        frame, backdrop = self.prepare(frame, backdrop, edges)
        executor = self._executor
        if shaper is not None and not isinstance(executor, ShapingExecutor):
            raise ModelError(ModelText.NO_SHAPING(executor=executor.name))
        with executor_errors(self._model, executor.device, executor.precision):
            try:
                return self._run(frame, backdrop, edges, want_foreground, shaper)
            except (NotAMatteError, RuntimeError):
                self._reset_failed()
                raise

    @property
    def overlaps(self) -> bool:
        """Whether steps that overlap give a higher frame rate; see `OverlappingEngine`."""
        return isinstance(self._executor, OverlappingExecutor) and self._executor.overlaps

    def begin(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False
    ) -> Callable[[], Matte]:
        """Run the network on the next frame and return the rest of the step; see `OverlappingEngine.begin`."""
        frame, backdrop = self.prepare(frame, backdrop, edges)
        executor = self._executor
        assert isinstance(executor, OverlappingExecutor)
        errors = self._model, executor.device, executor.precision
        with executor_errors(*errors):
            try:
                rest = executor.begin(frame, backdrop, edges, want_foreground)
            except (NotAMatteError, RuntimeError):
                self._reset_failed()
                raise

        def finish() -> Matte:
            with executor_errors(*errors):
                return rest()

        return finish

    def _run(
        self,
        frame: BgrImage,
        backdrop: Backdrop,
        edges: EdgeSettings,
        want_foreground: bool,
        shaper: MatteShaper | None,
    ) -> Matte:
        """Run the executor; apply the light controls where it does not."""
        executor, light = self._executor, light_plan(edges)
        relights = not light.active or getattr(executor, "relights", False)
        asked = (edges, want_foreground) if relights else (without_light(edges), True)
        if shaper is not None and isinstance(executor, ShapingExecutor):
            matte = executor.run_shaped(frame, backdrop, *asked, shaper)
        else:
            matte = executor.run(frame, backdrop, *asked)
        return matte if relights else self._light.relit(matte, frame, backdrop, light, want_foreground)

    def prepare(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings) -> tuple[BgrImage, Backdrop]:
        """Check the input of a step, fit the executor to it, and return what the executor takes.

        The executor is made anew for another size, and reset by a scene cut.

        Raises ModelError, TypeError or ValueError.
        """
        if self._closed:
            raise ModelError(ModelText.CLOSED(model=self._model))
        check_bgr(frame)
        if isinstance(backdrop, BlurredBackground):
            backdrop = replace(backdrop, strength=full_strength(backdrop.strength, edges.strict))
        else:
            check_bgr(backdrop)
            if backdrop.shape != frame.shape:
                raise ValueError(f"the backdrop is {backdrop.shape}, but the frame {frame.shape}")
            backdrop = np.ascontiguousarray(backdrop)
        frame = np.ascontiguousarray(frame)
        self._fit(frame.shape[1], frame.shape[0])
        if self._cuts.is_cut(frame):
            self.cuts += 1
            self._light.reset()
            with executor_errors(self._model, self._executor.device, self._executor.precision):
                self._executor.reset()
        return frame, backdrop

    @property
    def executor(self) -> Executor:
        """The executor for the size of the last frame."""
        return self._executor

    def state(self) -> EngineState:
        """Return what the engine remembers of its stream. Raises ModelError if the network cannot give it."""
        executor = self._executor
        if self._closed or not isinstance(executor, Resumable):
            raise ModelError(ApiText.NO_STATE(model=self._model))
        size = self._geometry.width, self._geometry.height
        with executor_errors(self._model, executor.device, executor.precision):
            arrays = {
                **executor.state(),
                **prefixed("cut", self._cuts.state()),
                **prefixed("light", self._light.state()),
            }
        return EngineState(self._model, executor.name, executor.precision, size, self._geometry.ratio, arrays)

    def load_state(self, state: EngineState) -> None:
        """Continue after the frame at which `state` was saved. Raises ModelError if it is of another engine."""
        self._fit(*state.size)
        executor, ratio = self._executor, self._geometry.ratio
        if self._closed or not isinstance(executor, Resumable):
            raise ModelError(ApiText.NO_STATE(model=self._model))
        own = self._model, executor.name, executor.precision, ratio
        if own != (state.model, state.executor, state.precision, state.downsample_ratio):
            raise ModelError(ApiText.OTHER_STATE(model=state.model, own=self._model))
        try:
            executor.load_state(state.arrays)
            self._cuts.load_state(under("cut", state.arrays))
            self._light.load_state(under("light", state.arrays))
        except (KeyError, ValueError) as error:
            executor.reset()
            raise ModelError(ApiText.OTHER_STATE(model=state.model, own=self._model)) from error

    def reset(self, seen: AlphaImage | None = None) -> None:
        """Forget the frames seen so far."""
        if not self._closed:
            self._cuts.forget()
            self._light.reset()
            self._executor.reset(seen)

    def close(self) -> None:
        """Release the device. Idempotent."""
        if not self._closed:
            self._closed = True
            self._executor.close()

    def _reset_failed(self) -> None:
        """Reset the executor after a failure; a device that is lost refuses even that."""
        try:
            self._executor.reset()
        except RuntimeError as error:
            _log.warning("The state of a failed model could not be reset.", exc_info=error)

    def _fit(self, width: int, height: int) -> None:
        if (width, height) == (self._geometry.width, self._geometry.height):
            return
        geometry = self._make_geometry(width, height)
        executor = self._make_executor(geometry)
        self._executor.close()
        self._geometry, self._executor = geometry, executor
