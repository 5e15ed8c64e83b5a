"""From the settings to a running engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors import ModelError, WeightsMissingError, text_of
from app.core.framing import WHOLE
from app.core.messages.matting import ModelText
from app.core.settings import PLATE_MODELS, EngineSettings, FramingSettings
from app.matting.base import Executor
from app.matting.engine import FrameEngine
from app.matting.geometry import AUTO_SHORT_SIDE, STUDENT_SHORT_SIDE, StepGeometry, auto_ratio
from app.matting.selection import hardware
from models.weights import WeightsError, find, on_hand

if TYPE_CHECKING:
    from app.matting.plate.engine import PlateEngine

PLATE_MODELS_ON_A_GPU = ("bgmv2-resnet50", "bgmv2-mobilenetv2", "bgmv2-resnet101")


@dataclass(frozen=True, slots=True)
class Choice:
    """The settings with every `auto` decided."""

    model: str
    weights: Path
    device: str
    executor: str
    precision: str


def build_engine(
    settings: EngineSettings, width: int, height: int, framing: FramingSettings = WHOLE
) -> FrameEngine | PlateEngine:
    """An engine for frames of this size; takes seconds the first time, and far less for a new ratio.

    framing: what the frames show of the camera's picture; the plate, which is of all of it, is cut likewise.
    Raises WeightsMissingError where the weights are not on hand, ModelError where the network cannot run.
    """
    choice = choose(settings)
    if choice.model in PLATE_MODELS:
        from app.matting.plate.build import build_with_plate

        return build_with_plate(settings, choice, width, height, framing)

    def make_geometry(frame_width: int, frame_height: int) -> StepGeometry:
        return geometry_for(settings, choice.model, frame_width, frame_height)

    def make(geometry: StepGeometry) -> Executor:
        return make_executor(settings, choice, geometry)

    return FrameEngine(choice.model, make, make_geometry, width, height)


def choose_model(settings: EngineSettings) -> str:
    """The chosen model; for `auto` the best one whose weights are on hand."""
    if settings.model != "auto":
        return settings.model
    if settings.weights is not None:
        return "rvm-mobilenetv3"
    on_gpu = _device(settings) != "cpu"
    preferred: list[str] = []
    if settings.plate is not None:
        preferred += PLATE_MODELS_ON_A_GPU if on_gpu else PLATE_MODELS
    preferred += ["rvm-resnet50"] if on_gpu else []
    preferred += ["rvm-mobilenetv3"]
    return next((model for model in preferred if on_hand(model)), "student")


def choose(settings: EngineSettings) -> Choice:
    """Decides every `auto`. Raises WeightsMissingError or ModelError."""
    model = choose_model(settings)
    try:
        weights = find(model, settings.weights)
    except WeightsError as error:
        raise WeightsMissingError(text_of(error)) from error
    device = _device(settings)
    executor = _plate_executor(settings, device) if model in PLATE_MODELS else _executor(settings, device)
    return Choice(model, weights, device, executor, _precision(settings, model, device, executor))


def geometry_for(settings: EngineSettings, model: str, width: int, height: int) -> StepGeometry:
    """The sizes a step of `model` works at. Raises ModelError where the small frame would be too small."""
    short_side = STUDENT_SHORT_SIDE if model == "student" else AUTO_SHORT_SIDE
    ratio = settings.downsample_ratio or auto_ratio(width, height, short_side)
    geometry = StepGeometry(width, height, ratio)
    if min(geometry.small_width, geometry.small_height) < 16:
        raise ModelError(ModelText.FRAME_TOO_SMALL(width=width, height=height, ratio=f"{ratio:g}", model=model))
    return geometry


def _device(settings: EngineSettings) -> str:
    if settings.device == "auto":
        openvino_only = settings.executor == "openvino" or not hardware.cuda_usable()
        return "cpu" if openvino_only else "cuda"
    if settings.device.startswith("cuda") and not hardware.cuda_usable():
        raise ModelError(ModelText.NO_NVIDIA_GPU())
    return settings.device


def _executor(settings: EngineSettings, device: str) -> str:
    if settings.executor == "auto":
        return "openvino" if device == "cpu" and hardware.openvino_usable() else "eager"
    if settings.executor == "openvino" and device != "cpu":
        raise ModelError(ModelText.OPENVINO_DEVICE(device=device))
    if settings.executor == "cuda-graph" and not device.startswith("cuda"):
        raise ModelError(ModelText.CUDA_GRAPH_DEVICE(device=device))
    return settings.executor


def _plate_executor(settings: EngineSettings, device: str) -> str:
    executor = _executor(settings, device)
    if executor == "openvino" and not hardware.numba_usable():
        if settings.executor == "auto":
            return "eager"
        raise ModelError(ModelText.PLATE_NEEDS_NUMBA())
    if executor not in ("openvino", "eager"):
        raise ModelError(ModelText.PLATE_EXECUTOR(executor=executor))
    return executor


def _precision(settings: EngineSettings, model: str, device: str, executor: str) -> str:
    if settings.precision != "auto":
        return settings.precision
    if device.startswith("cuda"):
        return "float16"
    if model.startswith(("u2net", "bgmv2")):
        return "float32"  # Their float32-only operations are not declared.
    return "bfloat16" if executor == "openvino" and hardware.cpu_has_bfloat16() else "float32"


def make_executor(settings: EngineSettings, choice: Choice, geometry: StepGeometry) -> Executor:
    """The executor of a choice without a plate. Raises ModelError or RuntimeError where it cannot run."""
    if choice.executor == "openvino":
        from app.matting.openvino_backend.conversion import load_model
        from app.matting.openvino_backend.executor import OpenVinoExecutor

        direct = geometry.ratio == 1 and choice.model.startswith("rvm")
        model = load_model(choice.model, choice.weights, settings.refiner, direct)
        return OpenVinoExecutor(model, geometry, "CPU", choice.precision)
    from app.matting.torch_backend.eager import EagerExecutor
    from app.matting.torch_backend.networks import load_core

    core = load_core(choice.model, choice.weights, settings.refiner, geometry.ratio, choice.device, choice.precision)
    if choice.executor == "cuda-graph":
        from app.matting.torch_backend.cuda_graph import CudaGraphExecutor
        from app.matting.torch_backend.graph_backend import CudaBackend

        return CudaGraphExecutor(core, geometry, CudaBackend(choice.device), choice.precision)
    if choice.executor == "compiled":
        from app.matting.torch_backend.compiled import CompiledExecutor

        return CompiledExecutor(core, geometry, choice.device, choice.precision)
    return EagerExecutor(core, geometry, choice.device, choice.precision)
