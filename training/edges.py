"""Train the layers that place edges, through the guided filter, at full size: `python -m
training.edges --help`.

With --deep those that find people learn, too, slowly where they were pretrained.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from torch import Tensor, nn

from app.core import EXIT_DONE
from models.blocks import apply_filter, downsampled
from models.mattecam.bundled import load
from models.mattecam.network import ALPHA_MARGIN, MattecamNetwork, explained, pixels_of, stretched
from models.table import BUNDLED
from training import parallel
from training.average import Average
from training.edge_frames import Frames, draw_frames, shuffled
from training.losses import highest, laplacian_loss, segmentation_loss, undecided_loss, variation
from training.optimizer import LONGEST_GRADIENT, Optimizer, rate_at
from training.progress import Bar
from training.saving import save
from training.step import EDGE_REACH, half_type
from training.train import filled, run_processes

LAST = "detail1", "reduce1", "decode1", "refine1", "project"
"""The layers at 1/2, which place edges."""
WEIGHTS = "student.safetensors"
RATIO = 0.5
"""The program's network sees frames of 640x360 at this fraction of their width and height."""
_RATIOS = RATIO, RATIO, 0.75
"""Each step takes one of these: what is learned from larger frames also serves smaller ones."""
_RIM = 5
"""Pixels around an edge that count more."""
_GAP, _HOLE = 4, 8
"""How many times more a gap counts than other places, see `training.gaps`, and the inside of people
that is hidden.
"""
_LIMIT = 50
"""Weight of alpha beyond the limit, see `losses_of`: no ghost becomes a person, and no shadow on
clothes a hole.
"""
_WHOLE = 0.99
"""Least true alpha inside of people."""
_HIDDEN = 0.6
"""Alpha below which the inside of a person is a hole."""
_MOVED_PX = 3
"""Largest movement since the frame before, in pixels of the small frame."""
_REMEMBERED = 0, 0, 1, 3
"""Frames that the network remembers; each step takes one of these numbers."""
_LEVELS = 3
_WARM_UP_STEPS = 100
_DECAY = 0.999
_LOG_EVERY = 50


@dataclass(frozen=True)
class Job:
    """Arguments of every process of a run."""

    out: Path
    cache: Path
    begin: Path
    limit: Path
    drawing_s: float
    training_s: float
    batch: int
    rate: float
    seed: int
    processes: int
    device: str
    deep: bool
    kept: int | None = None
    """Files of frames that remain of each process that draws while others train."""
    rendezvous: str = ""

    @property
    def trainers(self) -> int:
        """Number of processes that train."""
        return self.processes if self.device == "cpu" else 1

    @property
    def frames(self) -> Path:
        """Folder of the frames."""
        return self.out / "frames"


def main(
    out: Annotated[Path, typer.Option(help="Folder for the frames, the log and the weights.")],
    cache: Annotated[
        Path | None, typer.Option(help="Folder that `python -m training.cache` filled.")
    ] = None,
    begin: Annotated[
        Path, typer.Option("--from", help="Exported weights to start from.")
    ] = BUNDLED,
    limit: Annotated[
        Path,
        typer.Option(
            help="Weights of the same body; far from edges nothing gets worse than by them."
        ),
    ] = BUNDLED,
    drawing_minutes: Annotated[
        float, typer.Option(help="Time for drawing frames; 0 uses those in OUT.")
    ] = 5,
    minutes: Annotated[
        float, typer.Option(help="Time for training; the learning rate falls to zero over it.")
    ] = 7,
    batch: Annotated[int, typer.Option(min=1, help="Frames of a step, over all processes.")] = 8,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-3,
    seed: Annotated[int, typer.Option(help="Seed of the order of the frames.")] = 0,
    processes: Annotated[
        int, typer.Option(min=1, help="One for each core; a GPU is trained on by one.")
    ] = 1,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    deep: Annotated[bool, typer.Option(help="Train all layers, not the last ones alone.")] = False,
    kept: Annotated[
        int | None,
        typer.Option(min=1, help="Draw while training, too; so many files of each process remain."),
    ] = None,
) -> None:
    """Train exported weights further, the last layers alone or all; write the averaged weights to
    OUT.
    """
    drawing_s, training_s = drawing_minutes * 60, minutes * 60
    job = Job(
        out,
        filled(cache),
        begin,
        limit,
        drawing_s,
        training_s,
        batch,
        rate,
        seed,
        processes,
        device,
        deep,
        kept,
    )
    job.frames.mkdir(parents=True, exist_ok=True)
    code = EXIT_DONE
    if kept is None and drawing_s:
        code = run_processes(draw, lambda _: job, processes)
    if code == EXIT_DONE:
        together = job.trainers if kept is None else job.trainers + processes
        code = run_processes(train_or_draw, lambda file: replace(job, rendezvous=file), together)
    raise typer.Exit(code)


def draw(rank: int, job: Job) -> None:
    """Draw one process's frames."""
    cv2.setNumThreads(1)
    draw_frames(job.cache, job.frames, job.drawing_s, rank, job.processes, job.kept)


def train_or_draw(rank: int, job: Job) -> None:
    """Train in the first processes; the others draw until the end, with a start of the time for
    drawing.
    """
    if rank >= job.trainers:
        draw(rank - job.trainers, replace(job, drawing_s=job.drawing_s + job.training_s))
        return
    if job.kept is not None:
        time.sleep(job.drawing_s)
    train(rank, job)


def widened(network: MattecamNetwork) -> MattecamNetwork:
    """Return a network with wide layers at 1/2 and, but for rounding, the same output, in
    evaluation mode.
    """
    if network.detail1 is not None:
        return network
    wide = MattecamNetwork(trunk=network.trunk is not None, wide=True)
    state = wide.state_dict()
    for name, value in network.state_dict().items():
        if value.ndim:
            # Channels that are new come after the others, and none of the others reads them yet.
            state[name][: len(value)] = 0
            state[name][tuple(map(slice, value.shape))] = value
    wide.load_state_dict(state)
    assert wide.refine1 is not None
    nn.init.zeros_(wide.refine1.get_parameter("body.0.1.weight"))
    return wide.eval()


def train(rank: int, job: Job) -> None:
    """Train a network in evaluation mode; process 0 writes the log and the weights."""
    torch.set_num_threads(1)
    torch.backends.cudnn.benchmark = True
    parallel.join(rank, job.trainers, job.rendezvous)
    device, rng = torch.device(job.device), np.random.default_rng([job.seed, 1])
    network, limit = (on_device(widened(load(path)), device) for path in (job.begin, job.limit))
    for part in (network,) if job.deep else map(network.get_submodule, LAST):
        part.requires_grad_(True)
    pretrained = network.trunk.parameters() if job.deep and network.trunk else ()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer, average = Optimizer(trained, job.rate, pretrained), Average(network, _DECAY)
    batches = shuffled(
        job.frames, max(1, job.batch // job.trainers), job.seed, device, rank, job.trainers
    )
    begun, step = time.monotonic(), 0
    with (
        Bar(job.training_s, 0, shown=rank == 0) as bar,
        (job.out / "log.jsonl").open("a", encoding="utf-8") as log,
    ):
        while parallel.agreed(time.monotonic() - begun < job.training_s, job.trainers):
            passed_s = time.monotonic() - begun
            optimizer.set_rate(
                rate_at(job.rate, step, min(1.0, passed_s / job.training_s), _WARM_UP_STEPS)
            )
            down, right = rng.integers(-_MOVED_PX, _MOVED_PX, 2, endpoint=True)
            moved = [
                (int(down) * back, int(right) * back)
                for back in range(rng.choice(_REMEMBERED), 0, -1)
            ]
            losses = losses_of(network, next(batches), limit, moved, float(rng.choice(_RATIOS)))
            optimizer.zero_grad()
            torch.autograd.backward(torch.stack(list(losses.values())).sum())
            parallel.average_gradients(trained, job.trainers)
            optimizer.step(longest=LONGEST_GRADIENT)
            average.update(network)
            step += 1
            if rank == 0 and step % _LOG_EVERY == 0:
                terms = {name: round(float(loss.detach()), 6) for name, loss in losses.items()}
                log.write(
                    json.dumps({"step": step, "minutes": round(passed_s / 60, 2), "losses": terms})
                    + "\n"
                )
                log.flush()
                bar.update(passed_s, f"step {step}")
    if rank == 0:
        averaged = average.module
        assert isinstance(averaged, MattecamNetwork)
        save(averaged.cpu(), job.out / WEIGHTS)


def losses_of(
    network: MattecamNetwork,
    frames: Frames,
    limit: MattecamNetwork,
    moved: Sequence[tuple[int, int]] = (),
    ratio: float = RATIO,
) -> dict[str, Tensor]:
    """Return the terms of the loss, to be summed: alpha and colours as the program shows them, at
    full size.

    limit: far from edges, the trained network may neither show more background nor, at `RATIO`,
    hide more of people than this one, which makes holes in larger frames. moved: the network has
    seen the frame before, moved by so many pixels of the small frame, down and to the right, once
    for each of these. ratio: of the small frame.
    """
    small = downsampled(frames.src, ratio).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        allowed = stretched(_answer(limit, small, moved)[1], ALPHA_MARGIN)
    residual, logit = _answer(network, small, moved)
    coarse = stretched(logit, ALPHA_MARGIN)
    matte = torch.cat([residual, coarse], 1).contiguous(memory_format=torch.channels_last)
    shown = apply_filter(
        frames.src.contiguous(memory_format=torch.channels_last), *explained(small, matte)
    )
    alpha = shown[:, 3:].clamp(-0.05, 1.05)  # a value beyond the range still has a gradient
    wrong = alpha - frames.pha
    rim = (variation(frames.pha, _RIM) > 0).float()
    holes = ((-highest(-frames.pha, 2 * _RIM) > _WHOLE) & (alpha.detach() < _HIDDEN)).float()
    before_black = (frames.src + shown[:, :3]) * alpha - frames.fgr * frames.pha
    before_white = before_black - wrong
    truth, reach = downsampled(frames.pha, ratio), round(EDGE_REACH * ratio / RATIO)
    colour = (residual - (downsampled(frames.fgr, ratio) - small)) * (truth > 0)
    nobody, inside = highest(truth, reach) == 0, -highest(-truth, reach) > _WHOLE
    beyond = (coarse - allowed).clamp_min(0) * nobody
    if ratio == RATIO:
        beyond = beyond + (allowed - coarse).clamp_min(0) * inside
    return {
        "limit": _LIMIT * beyond.mean(),
        "l1": (wrong.abs() * (1 + 4 * rim + _GAP * frames.gaps + _HOLE * holes)).mean(),
        "laplacian": 2 * laplacian_loss(alpha.contiguous(), frames.pha, levels=_LEVELS),
        "rim": 2 * ((before_black.abs() + before_white.abs()).mean(1, keepdim=True) * rim).mean(),
        "entropy": 0.2 * segmentation_loss(logit, truth),
        "undecided": 1.5 * undecided_loss(coarse, truth, reach),
        "foreground": 0.5 * colour.abs().mean(),
    }


def _answer(
    network: MattecamNetwork, small: Tensor, moved: Sequence[tuple[int, int]]
) -> tuple[Tensor, Tensor]:
    """Return the residual of the foreground, (B, 3, h, w), and the logit of alpha, (B, 1, h, w)."""
    r1, r2, r3 = None, None, None
    with torch.autocast(
        small.device.type, torch.bfloat16, enabled=half_type(small.device) is torch.bfloat16
    ):
        with torch.no_grad():
            for step in moved:
                _, _, (r1, r2, r3) = network.cells(torch.roll(small, step, (2, 3)), r1, r2, r3)
        raw = pixels_of(network.cells(small, r1, r2, r3)[0], small)
    return raw[:, :3].float(), raw[:, 3:].float()


class _ExactDepthwise(nn.Conv2d):
    """A depthwise convolution that learns in float32: on a CPU, a third to a tenth of its time in
    bfloat16.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x (B, C, H, W)."""
        if not torch.is_grad_enabled():
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float()).to(x.dtype)


def on_device(network: MattecamNetwork, device: torch.device) -> MattecamNetwork:
    """Return the network on a device, channels last, without gradients."""
    for part in network.modules() if device.type == "cpu" else ():
        if isinstance(part, nn.Conv2d) and part.groups > 1:
            part.__class__ = _ExactDepthwise
    return network.requires_grad_(False).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


if __name__ == "__main__":
    typer.run(main)
