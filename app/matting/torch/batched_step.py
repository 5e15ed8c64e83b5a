"""One frame of several streams in one step of a GPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from app.core.settings import EdgeSettings
from app.core.types import Backdrop, BgrImage, BlurredBackground, Matte
from app.matting.base.blur import strength_taps
from app.matting.base.edges import plan
from app.matting.base.interface import NotAMatteError
from app.matting.torch.step import StepMode
from app.matting.torch.torch_backend import TorchBackend


def run_batch(
    executors: Sequence[TorchBackend],
    frames: Sequence[BgrImage],
    backdrops: Sequence[Backdrop],
    edges: EdgeSettings,
    want_foreground: bool,
) -> list[Matte]:
    """Run one step of every stream; the executors have the same `batch_key`.

    backdrops: images, or blurs of the same strength. Raises NotAMatteError or RuntimeError, which leaves every stream
    as it was. Batched arithmetic of the device may differ from that of single steps in the last bit.
    """
    first = executors[0]
    previous = [alpha for executor in executors if (alpha := executor.previous_alpha) is not None]
    blur = backdrops[0]
    with torch.inference_mode():
        device = first.torch_device
        image = torch.from_numpy(np.stack(frames)).to(device)
        if isinstance(blur, BlurredBackground):
            short_side = first.frame_step.geometry.blur_short_side
            backdrop = torch.from_numpy(strength_taps(blur.strength, short_side, blur.zoom))
        else:
            backdrop = torch.from_numpy(np.stack([np.asarray(each) for each in backdrops]))
        state = tuple(torch.cat(parts) for parts in zip(*(each.recurrent for each in executors), strict=True))
        output = first.frame_step(
            image,
            backdrop.to(device),
            state,
            StepMode(plan(edges), want_foreground),
            torch.cat(previous) if previous else None,
        )
        if not bool(torch.isfinite(output.finite)):
            raise NotAMatteError
        count = len(executors)
        composites = output.pixels.composite.cpu().numpy()
        alphas = output.pixels.alpha.cpu().numpy()
        foreground = output.pixels.foreground
        people = None if foreground is None else foreground.cpu().numpy()
        parts = [tensor.split(1) for tensor in output.state]
        smoothed = [None] * count if output.previous_alpha is None else list(output.previous_alpha.split(1))
        for index, executor in enumerate(executors):
            executor.recurrent = tuple(part[index].clone() for part in parts)
            alpha = smoothed[index]
            executor.previous_alpha = None if alpha is None else alpha.clone()
    hides = [False] * count if output.hides_person is None else [flag > 0 for flag in output.hides_person.tolist()]
    return [
        Matte(
            composites[index].copy(),
            alphas[index].copy(),
            None if people is None else people[index].copy(),
            hides_person=hides[index],
        )
        for index in range(count)
    ]
