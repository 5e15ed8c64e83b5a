"""Train the layers that place edges, through the guided filter, at full size: `python -m training.edges --help`.

The rest of the network stays as it is, so that its features are computed once for each crop.
"""

from __future__ import annotations

import json
import time
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import cv2
import torch
import typer
from torch import Tensor, nn

from models.blocks import downsampled
from models.mattecam.bundled import load, save
from models.mattecam.network import ALPHA_MARGIN, MattecamNetwork, explained, pixels_of, stretched
from models.mattecam.spec import BUNDLED
from models.rvm import guided_filter
from training import parallel
from training.average import Average
from training.edge_crops import RATIO, Crops, draw_crops, shuffled
from training.losses import highest, laplacian_loss, segmentation_loss, undecided_loss, variation
from training.optimizer import LONGEST_GRADIENT, Optimizer, rate_at
from training.progress import Bar
from training.step import EDGE_REACH
from training.train import filled, run_processes

TRAINED = "detail1", "reduce1", "decode1", "refine1", "project"
WEIGHTS = "student.safetensors"
_BORDER = 16
"""Pixels of a crop's border that count for no loss: the layers see nothing beyond it."""
_RIM = 5
"""Pixels around an edge that count more."""
_GAP = 6
"""How many times more a gap counts than other places; see `training.gaps`."""
_RIGHT = 0.3
"""Largest error of alpha that counts as right."""
_KEPT = 3
"""Weight of differences to what the network said before, away from edges and gaps, where that is right."""
_LIMIT = 50
"""Weight of alpha beyond the limit, see `losses_of`: no ghost becomes a person, and no shadow on clothes a hole."""
_WHOLE = 0.99
"""Least true alpha inside of people."""
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
    rendezvous: str = ""


def main(
    out: Annotated[Path, typer.Option(help="Folder for the crops, the log and the weights.")],
    cache: Annotated[Path | None, typer.Option(help="Folder that `python -m training.cache` filled.")] = None,
    begin: Annotated[Path, typer.Option("--from", help="Exported weights to start from.")] = BUNDLED,
    limit: Annotated[
        Path, typer.Option(help="Weights of the same body; far from edges nothing gets worse than by them.")
    ] = BUNDLED,
    drawing_minutes: Annotated[float, typer.Option(help="Time for drawing crops; 0 uses those in OUT.")] = 5,
    minutes: Annotated[float, typer.Option(help="Time for training; the learning rate falls to zero over it.")] = 7,
    batch: Annotated[int, typer.Option(min=1, help="Crops of a step, over all processes.")] = 48,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 3e-3,
    seed: Annotated[int, typer.Option(help="Seed of the order of the crops.")] = 0,
    processes: Annotated[int, typer.Option(min=1, help="One for each core.")] = 1,
) -> None:
    """Train the last layers of exported weights on crops at edges; write the averaged weights to OUT."""
    folder = filled(cache)
    out.mkdir(parents=True, exist_ok=True)
    job = Job(out, folder, begin, limit, drawing_minutes * 60, minutes * 60, batch, rate, seed, processes)
    raise typer.Exit(run_processes(work, lambda rendezvous: replace(job, rendezvous=rendezvous), processes))


def work(rank: int, job: Job) -> None:
    """Run one process."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    parallel.join(rank, job.processes, job.rendezvous)
    network = widened(load(job.begin)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    crops = job.out / f"crops{rank}"
    if job.drawing_s > 0:
        draw_crops(network, job.cache, crops, job.drawing_s, rank, job.processes)
    train(network, job, rank)


def widened(network: MattecamNetwork) -> MattecamNetwork:
    """Return a network with wide layers at 1/2 and, but for rounding, the same output, in evaluation mode."""
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


def train(network: MattecamNetwork, job: Job, rank: int) -> None:
    """Train the last layers of a network in evaluation mode; process 0 writes the log and the weights."""
    network.requires_grad_(False)
    for name in TRAINED:
        network.get_submodule(name).requires_grad_(True)
    original, limit = deepcopy(network), widened(load(job.limit)).requires_grad_(False)
    optimizer, average = Optimizer(network.parameters(), job.rate), Average(network, _DECAY)
    unscaled = torch.amp.GradScaler("cpu", enabled=False)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    batches = shuffled(job.out / f"crops{rank}", job.batch // job.processes, job.seed)
    begun, step = time.monotonic(), 0
    with Bar(job.training_s, 0, shown=rank == 0) as bar, (job.out / "log.jsonl").open("a", encoding="utf-8") as log:
        while parallel.agreed(time.monotonic() - begun < job.training_s, job.processes):
            passed_s = time.monotonic() - begun
            optimizer.set_rate(rate_at(job.rate, step, min(1.0, passed_s / job.training_s), _WARM_UP_STEPS))
            losses = losses_of(network, next(batches), original, limit)
            optimizer.zero_grad()
            torch.autograd.backward(torch.stack(list(losses.values())).sum())
            parallel.average_gradients(trained, job.processes)
            optimizer.step(unscaled, LONGEST_GRADIENT)
            average.update(network)
            step += 1
            if rank == 0 and step % _LOG_EVERY == 0:
                terms = {name: round(float(loss.detach()), 6) for name, loss in losses.items()}
                log.write(json.dumps({"step": step, "minutes": round(passed_s / 60, 2), "losses": terms}) + "\n")
                log.flush()
                bar.update(passed_s, f"step {step}")
    if rank == 0:
        averaged = average.module
        assert isinstance(averaged, MattecamNetwork)
        save(averaged, job.out / WEIGHTS)


def losses_of(
    network: MattecamNetwork, crops: Crops, original: MattecamNetwork, limit: MattecamNetwork
) -> dict[str, Tensor]:
    """Return the terms of the loss, to be summed: alpha and colours as the program shows them, at full size.

    original: the network before its last layers were trained.
    limit: far from edges, the trained one may neither show more background nor hide more of people than this one, which
    reads the same features.
    """
    small = downsampled(crops.src, RATIO)
    residual, logit = _answer(network, crops.features, small)
    coarse = stretched(logit, ALPHA_MARGIN)
    with torch.no_grad():
        before, allowed = (stretched(_answer(one, crops.features, small)[1], ALPHA_MARGIN) for one in (original, limit))
    matte = torch.cat([residual, coarse], 1).contiguous()
    filtered = guided_filter.apply(crops.src, *explained(small, matte))
    shown, src, fgr, pha, found = (_inner(x) for x in (filtered, crops.src, crops.fgr, crops.pha, crops.gaps))
    alpha = shown[:, 3:].clamp(-0.05, 1.05)  # a value beyond the range still has a gradient
    wrong = alpha - pha
    rim = (variation(pha, _RIM) > 0).float()
    before_black = (src + shown[:, :3]) * alpha - fgr * pha
    before_white = before_black - wrong
    truth = downsampled(crops.pha, RATIO)
    colour = (residual - (downsampled(crops.fgr, RATIO) - small)) * (truth > 0)
    right = (before - truth).abs() < _RIGHT
    beside = right & (downsampled(crops.gaps, RATIO) == 0) & (variation(truth, _RIM) == 0)
    nobody, inside = highest(truth, EDGE_REACH) == 0, -highest(-truth, EDGE_REACH) > _WHOLE
    beyond = (coarse - allowed).clamp_min(0) * nobody + (allowed - coarse).clamp_min(0) * inside
    truth_inside, coarse_inside, logit_inside = (_inner(x, RATIO) for x in (truth, coarse, logit))
    return {
        "kept": _KEPT * _inner((coarse - before).abs() * beside, RATIO).mean(),
        "limit": _LIMIT * _inner(beyond, RATIO).mean(),
        "l1": (wrong.abs() * (1 + 2 * rim + _GAP * found)).mean(),
        "laplacian": laplacian_loss(alpha.contiguous(), pha, levels=_LEVELS),
        "rim": ((before_black.abs() + before_white.abs()).mean(1, keepdim=True) * rim).mean(),
        "entropy": 0.2 * segmentation_loss(logit_inside, truth_inside),
        "undecided": 1.5 * undecided_loss(coarse_inside, truth_inside, EDGE_REACH),
        "foreground": 0.5 * colour.abs().mean(),
    }


def _answer(network: MattecamNetwork, features: Tensor, small: Tensor) -> tuple[Tensor, Tensor]:
    """Return the residual of the foreground, (B, 3, h, w), and the logit of alpha, (B, 1, h, w)."""
    with torch.autocast("cpu", torch.bfloat16):
        cells, *_ = network.last_cells(features, *network.skips(small))
        raw = pixels_of(cells, small)
    return raw[:, :3].float(), raw[:, 3:].float()


def _inner(x: Tensor, ratio: float = 1) -> Tensor:
    border = int(_BORDER * ratio)
    return x[..., border:-border, border:-border].contiguous()


if __name__ == "__main__":
    typer.run(main)
