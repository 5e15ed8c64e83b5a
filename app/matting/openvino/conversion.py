"""Converted networks: their format on disk, conversion, cache, and compilation.

An artefact is a folder with an OpenVINO model of dynamic size for each exported stage, the guided
filter's weights, and an index, which holds the rule of the decision stage. torch is imported only
to convert. Sources and packages ship converted networks beside the weights
(`tools.convert_networks`), so that a first start converts nothing.

Importing openvino sends usage data to its vendor unless the package `openvino_telemetry` cannot be
imported; OpenVINO then uses a stub without network access. This program sends no telemetry: all
other modules import OpenVINO from here.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from app.core import paths
from app.core.errors import ModelError, Remedy, t, text_of
from app.core.files import locked, version_of, why_not_written
from app.core.threads import on_own_thread, thread_limit
from models.errors import WeightsError
from models.exchange import (
    DecisionRule,
    FastFilterWeights,
    FilterWeights,
    ForgettingRule,
    LearnedFilterWeights,
)
from models.table import NETWORKS
from models.weights import CONVERTED, converts, sha256_of

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402
from openvino import preprocess  # noqa: E402

if TYPE_CHECKING:
    import torch

    from models.export import ExportStage

__all__ = ["core", "ov"]
LOG = logging.getLogger(__name__)


@functools.cache
def core() -> ov.Core:
    """Return the OpenVINO core shared by the process."""
    return ov.Core()


INDEX = "index.json"
WEIGHTS = "filter.npz"
FILTERS: dict[str, type[FilterWeights]] = {
    "learned": LearnedFilterWeights,
    "fast": FastFilterWeights,
}


class NetworkSource(NamedTuple):
    """What a converted network is made of."""

    model: str
    weights: Path
    refiner: str = "auto"
    direct: bool = False
    # The int8 version of the weights; converted in place of the float32 network.
    int8: Path | None = None

    def artefact_name(self, code: str = "") -> str:
        """Return the name of its artefact. Raises ModelError if a file cannot be read.

        code: digest of the code that converts. A shipped artefact ships with it, so that it is no
        part of its name.
        """
        files = [file for file in (self.weights, self.int8) if file is not None]
        try:
            content = " ".join(map(sha256_of, files))
        except WeightsError as error:
            raise ModelError(text_of(error)) from error
        words = f"{ov.__version__} {self.model} {self.refiner} {self.direct} {content} {code}"
        return f"{self.model}-{hashlib.sha256(words.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class NetworkStage:
    """A converted part of a network, which reads and writes named arrays; see `models.export`."""

    name: str
    float32: bool
    steady: bool
    reads: tuple[str, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """Content of `index.json`."""

    stages: tuple[NetworkStage, ...]
    states: tuple[tuple[int, int], ...]
    """(channels, downsampling factor) of each state."""
    # The name of the guided filter in `FILTERS`; None: the network has none.
    filter: str | None
    decision: DecisionRule | None
    forgetting: ForgettingRule | None
    # By how much alpha is stretched at either end, for a network
    # that writes `cells`; see `models.export.Export`.
    alpha_margin: float | None


JSON = TypeAdapter(Index)


@dataclass(frozen=True, slots=True)
class Artefact(Index):
    """A converted network, independent of the frame size. Callers must not modify the models."""

    # One for each of the stages.
    models: tuple[ov.Model, ...]
    guided_filter: FilterWeights | None
    # What `compiled_for_any_size` has compiled, by precision.
    for_any_size: dict[str, list[ov.CompiledModel]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def state_shapes(self, height: int, width: int) -> list[tuple[int, int, int, int]]:
        """Return the shapes (1, h, w, C) of the states for a small frame of this size."""
        shapes = []
        for channels, factor in self.states:
            rows = -(-height // factor)
            columns = -(-width // factor)
            shapes.append((1, rows, columns, channels))
        return shapes


def read_artefact(folder: Path, in_memory: bool = False) -> Artefact:
    """Read an artefact from a folder. in_memory: load all data, so that the folder can be deleted.

    Raises OSError, RuntimeError or ValueError if a file is missing, or cut off, or cannot be read.
    """
    index = JSON.validate_json((folder / INDEX).read_bytes())
    models = []
    guided_filter = None
    for stage in index.stages:
        path = folder / f"{stage.name}.xml"
        if in_memory:
            content = folder / f"{stage.name}.bin"
            models.append(core().read_model(path.read_bytes(), content.read_bytes()))
        else:
            models.append(core().read_model(path))
    if index.filter is not None:
        with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
            # A number was saved as an array without dimensions.
            weights = {
                name: array if array.ndim else array.item() for name, array in arrays.items()
            }
        guided_filter = FILTERS[index.filter](**weights)
    known = {field.name: getattr(index, field.name) for field in fields(index)}
    return Artefact(**known, models=tuple(models), guided_filter=guided_filter)


# So many artefacts are kept in memory.
_KEPT = 3


class ArtefactCache:
    """Cache of artefacts in a folder; recently used ones are also kept in memory."""

    def __init__(self, folder: Callable[[], Path], shipped: Path | None = None) -> None:
        """shipped: the folder of networks that were converted before, which is searched first."""
        self._folder = folder
        self._shipped = shipped
        self._lock = threading.Lock()
        self._kept = functools.lru_cache(_KEPT)(_from_disk)

    def load(self, source: NetworkSource) -> Artefact:
        """Return the artefact of a network; convert the network on a cache miss.

        Raises ModelError if a file does not contain weights of this network.
        """
        folders = self._folders(source)
        with self._lock:
            return self._kept(folders, source)

    def folder(self, source: NetworkSource) -> Path:
        """Return where the artefact of a network is kept; it may not exist.

        Raises ModelError as `load`.
        """
        folders = self._folders(source)
        for folder in folders:
            if folder.is_dir():
                return folder
        return folders[-1]

    def _folders(self, source: NetworkSource) -> tuple[Path, ...]:
        """Return where an artefact may be, in the order of the search; the last is written to."""
        own = self._folder() / source.artefact_name(_sources())
        if self._shipped is None:
            return (own,)
        return (self._shipped / source.artefact_name(), own)


# How long another program may convert the same network.
CONVERSION_LIMIT_S = 60.0


def _from_disk(folders: tuple[Path, ...], source: NetworkSource) -> Artefact:
    folder = folders[-1]
    version_that_was_read = version_of(folder)
    known = _read_first(folders)
    if known is not None:
        return known
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f"{folder.name}.lock"), CONVERSION_LIMIT_S):
            # Another program may have converted it while this one waited for the lock.
            if version_of(folder) != version_that_was_read:
                known = _read_first((folder,))
            return known or _converted_to(folder, source)
    except (OSError, RuntimeError, ValueError) as error:
        reason = why_not_written(error) if isinstance(error, OSError) else error
        LOG.warning("The converted network cannot be kept in %s: %s.", folder.parent, reason)
    with tempfile.TemporaryDirectory() as temporary:
        convert_network(source, Path(temporary))
        return read_artefact(Path(temporary), in_memory=True)


def _read_first(folders: Iterable[Path]) -> Artefact | None:
    """Return the first artefact that can be read; None if there is none."""
    for folder in filter(Path.is_dir, folders):
        try:
            return read_artefact(folder)
        except Exception as error:  # noqa: BLE001, PERF203 - OpenVINO raises anything, MemoryError included
            LOG.warning(
                "The converted network %s cannot be read and is converted again (%r).",
                folder,
                error,
            )
    return None


def _converted_to(folder: Path, source: NetworkSource) -> Artefact:
    """Convert a network, and keep it in `folder` in place of what is there.

    Raises as `convert_network`, and OSError.
    """
    beginning = f".new-{folder.name}-"
    for left in folder.parent.glob(f"{beginning}*"):  # of a program that was killed
        shutil.rmtree(left, ignore_errors=True)
    # Atomic, so that an interrupted run leaves no partial artefact.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=beginning) as beside:
        made = Path(beside) / folder.name
        made.mkdir()
        convert_network(source, made)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            made.replace(folder)
        except OSError:
            if not folder.is_dir():
                raise
            # Where no file can be locked, another program may have put its own there meanwhile.
    return read_artefact(folder)


@functools.cache
def _sources() -> str:
    """Return a digest of the code that converts.

    It is a part of the name of an artefact, so that those of older versions are converted again.
    """
    files = [*(paths.ROOT / "models").rglob("*.py"), *Path(__file__).parent.glob("*.py")]
    digests = [hashlib.sha256(file.read_bytes()).digest() for file in sorted(files)]
    return hashlib.sha256(b"".join(digests)).hexdigest()


def convert_network(source: NetworkSource, folder: Path) -> None:
    """Convert a network and write its artefact into an empty folder.

    Raises ModelError if a file does not fit the network, or without torch.
    """
    model = source.model
    int8 = source.int8
    spec = NETWORKS[source.model]
    if not converts():
        raise ModelError(
            t(
                "The model {model} needs PyTorch, which this copy of Mattecam lacks; run Mattecam "
                "from its sources for it.",
                model=model,
            ),
            Remedy.MATTING_SETTINGS,
        )
    import torch

    from app.matting.torch.torch_backend import load_network
    from models.checkpoint import load_state_dict

    whole = int8 if spec.quantize is None else None
    network = load_network(model, whole or source.weights, source.refiner, "cpu", "float32")
    with torch.inference_mode():
        export = spec.export(network, source.direct)
        if int8 is not None and spec.quantize is not None:
            try:
                export = spec.quantize(export, load_state_dict(int8))
            except (WeightsError, RuntimeError) as error:
                LOG.warning("The int8 version of %s in %s cannot be used: %s.", model, int8, error)
                raise ModelError(
                    t(
                        "There is no int8 version of the model {model} for this device and these "
                        "weights; choose another precision.",
                        model=model,
                    ),
                    Remedy.MATTING_SETTINGS,
                ) from error
        arrays = dict(export.examples)
        for stage in export.stages:
            model_of_stage = _converted(stage, arrays)
            ov.save_model(model_of_stage, folder / f"{stage.name}.xml", compress_to_fp16=False)
    stages = tuple(
        NetworkStage(each.name, each.float32, each.steady, each.reads, each.writes)
        for each in export.stages
    )
    weights = export.guided_filter
    kind = None
    for name, filter_class in FILTERS.items():
        if isinstance(weights, filter_class):
            kind = name
            break
    if weights is not None:
        weight_arrays = {name: np.asarray(value) for name, value in asdict(weights).items()}
        np.savez(folder / WEIGHTS, allow_pickle=False, **weight_arrays)
    index = Index(
        stages=stages,
        states=export.states,
        filter=kind,
        decision=export.decision,
        forgetting=export.forgetting,
        alpha_margin=export.alpha_margin,
    )
    (folder / INDEX).write_bytes(JSON.dump_json(index))


def _converted(stage: ExportStage, arrays: dict[str, torch.Tensor]) -> ov.Model:
    """Convert a stage and return its model; add the stage's outputs to the example arrays."""
    import torch

    module = stage.module.eval()
    example = tuple(arrays[name] for name in stage.reads)
    with warnings.catch_warnings():
        # Tracing warns about constant sizes. The contract test covers other sizes.
        warnings.simplefilter("ignore")
        # OpenVINO's own tracing runs the module a second time
        # for comparison and imports many more torch modules.
        traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        model = ov.convert_model(traced, example_input=example)
        outputs = module(*example)
    if not isinstance(outputs, tuple):
        outputs = (outputs,)
    arrays |= zip(stage.writes, outputs, strict=True)
    steps = preprocess.PrePostProcessor(model)
    ports = [(name, steps.input(index)) for index, name in enumerate(stage.reads)]
    ports += [(name, steps.output(index)) for index, name in enumerate(stage.writes)]
    for name, port in ports:
        if name in stage.channels_last:
            port.tensor().set_layout(ov.Layout("NHWC"))
            port.model().set_layout(ov.Layout("NCHW"))
    return steps.build()


# An int8 network contains its own quantization; everything else in it runs in float32.
HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16", "int8": "f32"}
Shape = tuple[int, ...]
Arrays = dict[str, NDArray[np.float32]]


def halved_shapes(height: int, width: int) -> dict[str, Shape]:
    """Return the shapes of the small frame at 1/2, 1/4 and 1/8 of its size, by name."""
    shapes: dict[str, Shape] = {}
    for index in range(1, 4):
        height = -(-height // 2)
        width = -(-width // 2)
        shapes[f"half{index}"] = (1, 3, height, width)
    return shapes


def fitted(
    artefact: Artefact,
    shapes: Mapping[str, Shape],
) -> tuple[list[ov.Model], dict[str, Shape]]:
    """Return the models of the stages for inputs of these shapes, and the shapes of their arrays.

    shapes: by name. Those that are returned are of all arrays that a stage reads or writes.
    """
    known = dict(shapes)
    models = []
    used: set[str] = set()
    for stage, shared in zip(artefact.stages, artefact.models, strict=True):
        model = shared.clone()
        inputs = {}
        for port, name in zip(model.inputs, stage.reads, strict=True):
            inputs[port] = list(known[name])
        model.reshape(inputs)
        for port, name in zip(model.outputs, stage.writes, strict=True):
            known[name] = tuple(port.shape)
        models.append(model)
        used.update(stage.reads, stage.writes)
    return models, {name: shape for name, shape in known.items() if name in used}


def compiled(
    stages: Sequence[NetworkStage],
    models: Sequence[ov.Model],
    precision: str,
    *,
    pinned: bool = False,
    threads: int | None = None,
    device: str = "CPU",
) -> list[ov.CompiledModel]:
    """Compile the stages in parallel, each in its own precision.

    Raises RuntimeError if OpenVINO fails.

    threads: of each inference; None for the limit in `app.core.threads`, else OpenVINO's choice.
    device: OpenVINO's name of it.
    """
    threads = threads or thread_limit()

    def compile_stage(stage: NetworkStage, model: ov.Model) -> ov.CompiledModel:
        options: dict[str, str | int] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": HINTS["float32" if stage.float32 else precision],
        }
        if device != "CPU":
            return core().compile_model(model, device, options | gpu_options(device))
        if not pinned:
            # A pinned thread waits for other work on its core, such
            # as the window's, while another core is idle.
            options["ENABLE_CPU_PINNING"] = "NO"
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        return core().compile_model(model, "CPU", options)

    # The program may end meanwhile: it waits for the threads of a pool, and a GPU takes minutes.
    pairs = zip(stages, models, strict=True)
    made = [on_own_thread("compiler", partial(compile_stage, *pair)) for pair in pairs]
    wait(made)
    return [each.result() for each in made]


# Largest mean difference of alpha (0..1) in one frame from that of the same network, compiled in the
# way that passed the self-test. RVM in half precision on a GPU has up to 1.1e-3, where the picture
# changes suddenly.
ALPHA_BOUND = 5e-3


def check_alpha(
    alpha: NDArray[np.float32], right: NDArray[np.float32], whose_is_right: str
) -> None:
    """Raise ValueError unless alpha (h, w) is the right one, of what passed the self-test."""
    difference = float(np.abs(alpha - right).mean())
    # Not `>`: a difference that is no number is a failure as well.
    if not difference <= ALPHA_BOUND:
        raise ValueError(f"its alpha differs from that of {whose_is_right} by {difference:.2g}")


def compiled_for_any_size(artefact: Artefact, precision: str) -> list[ov.CompiledModel]:
    """Return the stages compiled for frames of any size; they are compiled once and kept.

    Another size then takes a seventh of the time that compiling for it takes, but each frame an
    eighth more than with `compiled`. An inference has as many threads as it may: the number that
    suits best depends on the size, and one for each number would be compiled anew. Raises
    RuntimeError if OpenVINO fails.
    """
    networks = artefact.for_any_size.get(precision)
    if networks is None:
        networks = compiled(artefact.stages, artefact.models, precision)
        artefact.for_any_size[precision] = networks
    return networks


def gpu_options(device: str) -> dict[str, str]:
    """Return the options of a GPU."""
    known: Mapping[str, str] = core().get_property(device, "SUPPORTED_PROPERTIES")
    # What was compiled is kept: compiling takes a minute.
    options = {"CACHE_DIR": str(paths.data_dir() / "cache" / "gpu")}
    # Waiting for the GPU then takes little of the processor.
    if "GPU_QUEUE_THROTTLE" in known:
        options["GPU_QUEUE_THROTTLE"] = "LOW"
    return options


def bound(
    stage: NetworkStage,
    network: ov.CompiledModel,
    arrays: Mapping[str, NDArray[np.float32]],
    *,
    outputs: bool = True,
) -> ov.InferRequest:
    """Return a request that reads the stage's arrays in place.

    outputs: whether it also writes them in place. The caller must keep the arrays alive as long as
    the request.
    """
    request = network.create_infer_request()
    for index, name in enumerate(stage.reads):
        request.set_input_tensor(index, ov.Tensor(arrays[name], shared_memory=True))
    if outputs:
        for index, name in enumerate(stage.writes):
            request.set_output_tensor(index, ov.Tensor(arrays[name], shared_memory=True))
    return request


# Shared cache of the process.
artefacts = ArtefactCache(lambda: paths.data_dir() / "cache", CONVERTED)
