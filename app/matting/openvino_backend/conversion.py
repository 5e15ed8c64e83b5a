"""Networks as OpenVINO models: converted once for any size, kept on disk and, those in use, in memory."""

from __future__ import annotations

import functools
import hashlib
import logging
import tempfile
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from app.config import paths
from app.core.errors import ModelError
from app.core.messages.matting import ModelText
from app.matting.openvino_backend.runtime import core, ov
from app.media.disk_errors import why_not_read

LOG = logging.getLogger(__name__)
STATES_KEY = ["mattecam", "states"]
PROBE = 64
_KEPT = 3
_lock = threading.Lock()
_models: OrderedDict[str, ov.Model] = OrderedDict()


def load_model(model: str, weights: Path, refiner: str, direct: bool) -> ov.Model:
    """The core of a network; with `direct`, for frames that are not shrunk. Must not be changed by the caller.

    Only where it was never converted before, torch is needed. Raises ModelError where the file is not these weights.
    """
    return kept_model(f"{model} {refiner} {direct}", weights, lambda: _convert(model, weights, refiner, direct))


def kept_model(name: str, weights: Path, convert: Callable[[], ov.Model]) -> ov.Model:
    """What `convert` makes of the weights, or made before; `name` begins with a word for the file. See `load_model`."""
    try:
        content = _digest([weights])
    except OSError as error:
        raise ModelError(ModelText.WEIGHTS_UNREADABLE(file=weights, reason=why_not_read(error))) from error
    words = f"{ov.__version__} {name} {content} {_sources()}"
    key = f"{name.split()[0]}-{hashlib.sha256(words.encode()).hexdigest()[:16]}"
    with _lock:
        kept = _models.pop(key, None) or _from_disk(key, convert)
        _models[key] = kept
        while len(_models) > _KEPT:
            _models.popitem(last=False)
    return kept


@functools.cache
def _sources() -> str:
    """Changes with the code of the networks, so that no old conversion is used."""
    return _digest(
        [*sorted((paths.ROOT / "models").rglob("*.py")), *sorted((paths.ROOT / "app" / "matting").rglob("*.py"))]
    )


def _digest(files: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()


def state_shapes(model: ov.Model, height: int, width: int) -> list[tuple[int, int, int, int]]:
    """The shapes of the states for a small frame of this size."""
    text = str(model.get_rt_info(STATES_KEY).value)
    pairs = [(int(channels), int(factor)) for channels, factor in (word.split("/") for word in text.split())]
    return [(1, channels, -(-height // factor), -(-width // factor)) for channels, factor in pairs]


def _from_disk(key: str, convert: Callable[[], ov.Model]) -> ov.Model:
    path = paths.data_dir() / "cache" / f"{key}.xml"
    if path.is_file() and path.with_suffix(".bin").is_file():
        try:
            return core().read_model(path)
        except RuntimeError as error:
            LOG.warning("The converted network %s is damaged and is made anew (%s).", path, error)
    model = convert()
    # Saving simplifies: read from a file, it is the same network now and from the next start on.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ov.save_model(model, path, compress_to_fp16=False)
        return core().read_model(path)
    except (OSError, RuntimeError) as error:
        LOG.warning("The converted network cannot be kept in %s (%s).", path.parent, error)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / path.name
        ov.save_model(model, path, compress_to_fp16=False)
        return core().read_model(path.read_bytes(), path.with_suffix(".bin").read_bytes())


def _convert(model: str, weights: Path, refiner: str, direct: bool) -> ov.Model:
    import torch

    from app.matting.torch_backend.networks import load_core

    network = load_core(model, weights, refiner, 1.0 if direct else 0.5, "cpu", "float32")
    states = network.initial_state(PROBE, PROBE)
    with warnings.catch_warnings(), torch.inference_mode():
        # Tracing warns of sizes taken as constants; the contract test covers other sizes.
        warnings.simplefilter("ignore")
        example = (torch.zeros(1, 3, PROBE, PROBE), *states)
        # OpenVINO's own tracing runs everything again to compare, and loads a good part of torch for that.
        traced = torch.jit.trace(network, example, strict=False, check_trace=False)  # type: ignore[no-untyped-call]
        converted = ov.convert_model(traced, example_input=example)
    words = [f"{state.shape[1]}/{PROBE // state.shape[2]}" for state in states]
    converted.set_rt_info(" ".join(words), STATES_KEY)
    return converted
