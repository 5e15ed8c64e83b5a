"""One step of several streams: on a GPU in batches, on a CPU one after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.core.errors import ModelError
from app.core.settings import EdgeSettings
from app.core.types import Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.base.edges import light_plan
from app.matting.base.interface import MattingEngine, NotAMatteError
from app.matting.engine.frame_engine import FrameEngine


def step_together(
    engines: Sequence[MattingEngine],
    frames: Sequence[BgrImage],
    backdrops: Sequence[Backdrop],
    edges: EdgeSettings,
    want_foreground: bool = False,
) -> list[Matte | ModelError]:
    """Step every engine once; a stream that fails gets its error in place of a matte and does not affect the others.

    Streams of one network, size and kind of backdrop on a GPU are computed in one batch. On a CPU a batch is no faster,
    and every frame would wait for the others.
    """
    results: dict[int, Matte | ModelError] = {}
    groups: defaultdict[object, list[int]] = defaultdict(list)
    for index, engine in enumerate(engines):
        alone = light_plan(edges).active  # which are applied on the CPU
        group = index if alone else _group(engine, frames[index], backdrops[index], index)
        groups[group].append(index)
    for members in groups.values():
        done = _batch(members, engines, frames, backdrops, edges, want_foreground) if len(members) > 1 else None
        for position, index in enumerate(members):
            if done is not None:
                results[index] = done[position]
                continue
            try:
                results[index] = (
                    engines[index]
                    .step(frames[index], backdrops[index], edges, want_foreground=want_foreground)
                    .result()
                )
            except ModelError as error:
                results[index] = error
    return [results[index] for index in range(len(engines))]


def _group(engine: MattingEngine, frame: BgrImage, backdrop: Backdrop, index: int) -> object:
    """Return equal values for streams that one batch can hold."""
    key = getattr(engine.backend, "batch_key", None) if isinstance(engine, FrameEngine) else None
    if key is None:
        return index
    return key, frame.shape, backdrop if isinstance(backdrop, BlurredBackground) else None


def _batch(
    members: Sequence[int],
    engines: Sequence[MattingEngine],
    frames: Sequence[BgrImage],
    backdrops: Sequence[Backdrop],
    edges: EdgeSettings,
    want_foreground: bool,
) -> list[Matte] | None:
    """Return the mattes of one group; None if it must run one after the other, as after a failure of one stream."""
    from app.matting.torch.torch_backend import TorchBackend, run_batch

    streams = [engine for index in members if isinstance(engine := engines[index], FrameEngine)]
    try:
        inputs = [each.prepare(frames[i], backdrops[i], edges) for each, i in zip(streams, members, strict=True)]
        executors = [each.backend for each in streams if isinstance(each.backend, TorchBackend)]
        if len(executors) < len(members) or len({executor.batch_key for executor in executors}) > 1:
            return None  # the size of a stream has changed with this frame
        checked, prepared, levels = zip(*inputs, strict=True)
        return run_batch(executors, checked, prepared, levels[0], want_foreground)
    except (NotAMatteError, RuntimeError, ModelError):
        return None
