"""The matting engine: runs a backend, checks it, resets it at cuts, and handles its failures.

`network_engine` makes the one of a choice that needs no plate.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from app.core.errors import ModelError, Remedy, t
from app.core.settings import EngineSettings, shown_strength
from app.core.threads import on_own_thread
from app.core.types import AlphaImage, Backdrop, BlurredBackground, Matte, check_bgr
from app.matting.choice.choice import Choice, geometry_for
from app.matting.interface import (
    Backend,
    EngineInfo,
    ExecutorError,
    NotAMatteError,
    StepGeometry,
    StepRequest,
    is_out_of_memory,
)
from app.matting.motion import Motion

if TYPE_CHECKING:
    from app.matting.openvino.conversion import Artefact

_log = logging.getLogger(__name__)


class FrameEngine:
    """Implements `MattingEngine` over any backend.

    A frame of another size creates a new backend with a fresh state. A scene cut resets the state,
    and so does a failure, so that neither affects the next frame.
    """

    def __init__(
        self,
        model: str,
        make_backend: Callable[[StepGeometry], Backend],
        make_geometry: Callable[[int, int], StepGeometry],
        width: int,
        height: int,
        *,
        strict_mode: bool = True,
        live: bool = False,
        on_gpu_failure: Callable[[str], None] | None = None,
    ) -> None:
        """Create the backend for frames of `width` by `height`. Raises ModelError if that fails.

        strict_mode: whether strict mode may filter the mattes. The networks with a plate tell
        people from the background by the plate; those that find any object find what strict mode
        removes. live: the network may skip work where little moves; see `Reuse`. on_gpu_failure:
        receives why a GPU is not used any more, here or in a step.
        """
        self._model = model
        self._strict_mode = strict_mode
        self._make_backend = make_backend
        self._make_geometry = make_geometry
        self._on_gpu_failure = on_gpu_failure
        self._geometry = make_geometry(width, height)
        # Made for the size of the last frame.
        self.backend = make_backend(self._geometry)
        self._describe()
        self._motion = Motion(live=live)
        # Number of scene cuts so far.
        self.cuts = 0
        self._closed = False

    def _describe(self) -> None:
        """Say what ran the network in the last step."""
        # A GPU may have taken over from the CPU, or the reverse.
        self.info = EngineInfo(
            model=self._model,
            executor=self.backend.name,
            precision=self.backend.precision,
            device=self.backend.device,
            downsample_ratio=self._geometry.ratio,
            small_size=(self._geometry.small_width, self._geometry.small_height),
            strict_mode=self._strict_mode,
            gpu_problem=self.backend.gpu_problem,
            is_settling=self.backend.is_settling,
        )
        if self.info.gpu_problem and self._on_gpu_failure is not None:
            self._on_gpu_failure(self.info.gpu_problem)
            self._on_gpu_failure = None  # once is enough

    def step(self, request: StepRequest) -> Matte:
        """Matte the next frame; see `MattingEngine.step`.

        The backend is made anew for another size, and reset by a scene cut. Raises also TypeError
        or ValueError.
        """
        if self._closed:
            raise self._closed_error()
        check_bgr(request.frame)
        backdrop = _checked_backdrop(request)
        strict = request.strict if self._strict_mode else "off"
        frame = np.ascontiguousarray(request.frame)
        height, width = frame.shape[:2]
        starts_scene = (width, height) != (self._geometry.width, self._geometry.height)
        if starts_scene:
            geometry = self._make_geometry(width, height)
            backend = self._make_backend(geometry)
            self.backend.close()
            self._geometry = geometry
            self.backend = backend
            self._describe()
            self._motion.see_all()
        with backend_errors(self._model, self.backend.device, self.backend.precision):
            if self._motion.is_cut(frame):
                starts_scene = True
                self.cuts += 1
                self.backend.reset()
            if request.edit is not None and starts_scene:
                request.edit.start_scene()
            reuse = self._motion.reuse(request.edges, strict)
            checked = replace(request, frame=frame, backdrop=backdrop, strict=strict, reuse=reuse)
            try:
                matte = self.backend.step(checked)
            except (NotAMatteError, RuntimeError):
                self._motion.see_all()
                try:
                    self.backend.reset()
                except RuntimeError as error:
                    # A device that is lost refuses even that.
                    _log.warning("The state of a failed model could not be reset.", exc_info=error)
                raise
        self._describe()
        return matte

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

    def _closed_error(self) -> ModelError:
        return ModelError(
            t(
                "The model {model} was closed and accepts no more frames; choose the model again.",
                model=self._model,
            ),
            Remedy.RETRY,
        )


def _checked_backdrop(request: StepRequest) -> Backdrop:
    """Return the backdrop of a step as its backend takes it.

    A blur is as strong as strict mode demands. Raises TypeError or ValueError.
    """
    backdrop = request.backdrop
    if isinstance(backdrop, BlurredBackground):
        strength = shown_strength(backdrop.strength, request.strict)
        return replace(backdrop, strength=strength)
    check_bgr(backdrop)
    shape = request.frame.shape
    if backdrop.shape != shape:
        raise ValueError(f"the backdrop is {backdrop.shape}, but the frame {shape}")
    return np.ascontiguousarray(backdrop)


@contextlib.contextmanager
def backend_errors(model: str, device: str, precision: str) -> Iterator[None]:
    """Raise ExecutorError for NotAMatteError, RuntimeError and MemoryError of an executor."""
    try:
        yield
    except NotAMatteError:
        text = t(
            "The model {model} returned values that are not numbers; if this happens again, choose "
            "the precision float32 or another model.",
            model=model,
        )
        raise ExecutorError(text, model, device, precision, invalid_output=True) from None
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            text = t(
                "The model {model} ran out of memory on the device {device}; choose less detail⟦, "
                "which is a lower --downsample-ratio,⟧ or another device.",
                model=model,
                device=device,
            )
        else:
            text = t(
                "The model {model} failed on the device {device}; choose another executor or "
                "device. The log has the details.",
                model=model,
                device=device,
            )
        raise ExecutorError(text, model, device, precision, Remedy.MATTING_SETTINGS) from error


def load_kernels() -> None:
    """Import the kernels, which takes seconds where they are not compiled yet."""
    from app.matting import cpu  # noqa: F401


@functools.cache
def start_loading() -> None:
    """Begin to load on a thread, beside other work.

    A failure is that of the thread that needs the kernels.
    """
    on_own_thread("kernel-compiler", load_kernels)


def artefact_of(settings: EngineSettings, choice: Choice, geometry: StepGeometry) -> Artefact:
    """Return the network without a plate as OpenVINO runs it. Raises ModelError."""
    from app.matting.openvino.conversion import NetworkSource, artefacts

    direct = geometry.ratio == 1 and choice.spec.direct
    source = NetworkSource(choice.model, choice.weights, settings.refiner, direct, choice.int8)
    return artefacts.load(source)


def network_engine(
    settings: EngineSettings,
    choice: Choice,
    width: int,
    height: int,
    threads: Callable[[StepGeometry], int | None] = lambda geometry: None,
    *,
    live: bool = False,
    on_gpu_failure: Callable[[str], None] | None = None,
) -> FrameEngine:
    """Return an engine for a choice that needs no plate.

    threads: of a step in OpenVINO; None for all cores.

    live: whether it may spare work beside people. on_gpu_failure: as of `FrameEngine`. Raises
    ModelError if the network cannot run.
    """
    target = choice.target

    def make_geometry(frame_width: int, frame_height: int) -> StepGeometry:
        return geometry_for(settings, choice.model, frame_width, frame_height)

    def make(geometry: StepGeometry) -> Backend:
        with backend_errors(choice.model, target.device, target.precision):
            if target.executor == "openvino":
                start_loading()
                from app.matting.openvino.openvino_backend import OpenVinoBackend

                artefact = artefact_of(settings, choice, geometry)
                return OpenVinoBackend(
                    artefact,
                    geometry,
                    choice.cpu_precision,
                    threads(geometry),
                    live=live,
                    gpu=target if target.plugin else None,
                )
            from app.matting.torch.torch_backend import TorchBackend, load_core

            core = load_core(
                choice.model,
                choice.weights,
                settings.refiner,
                geometry.ratio,
                target.device,
                target.precision,
            )
            return TorchBackend(core, geometry, target.device, target.precision)

    return FrameEngine(
        choice.model,
        make,
        make_geometry,
        width,
        height,
        strict_mode=not choice.spec.finds_any_object,
        live=live,
        on_gpu_failure=on_gpu_failure,
    )
