"""A stretch of training: resumable, with averaged weights, a log and periodic checkpoints."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

from app.core.errors import UsageError
from models.mattecam.bundled import load
from models.mattecam.network import MattecamNetwork, PlateNetwork
from training import parallel
from training.average import Average
from training.check import quick_check
from training.data import SampleSource
from training.loader import Batch, batches
from training.mimicry import FeatureTeacher
from training.optimizer import LONGEST_GRADIENT, Optimizer, rate_at
from training.plates import PlateSource
from training.progress import Bar
from training.saving import with_plate
from training.step import Learner, half_type, on_device, stacked
from training.trunk import set_trained_parts, with_trunk

State = dict[str, Any]
"""Contents of a checkpoint."""
_WARM_UP_STEPS = 150
_LOG_EVERY = 20
_OTHER_SIZES = (0.6, 0.7, 0.8, 0.9, 1.1, 1.2)
"""As a fraction of the steps of the stage."""
_GRAIN = 16
"""Width and height are multiples of this."""


@dataclass(frozen=True)
class Stage:
    """Settings of a stretch of training; see the options of `training.train`."""

    out: Path
    cache: Path
    begin: Path | None
    size: tuple[int, int]
    frames: int
    batch: int
    minutes: float
    rate: float
    ema: float
    seed: int
    save_minutes: float
    device: str
    half: bool
    vary: float = 0.0
    """Share of the steps whose frames have another size."""
    unspoilt: float = 0.0
    """Share of samples without camera degradation."""
    workers: int = 0
    """Processes that draw samples; 0 draws in the training thread."""
    stills: float = 0.0
    """Share of the steps with single pictures instead of sequences, as many pictures as the
    sequences have frames.
    """
    teacher: Path | None = None
    """Weights of RVM MobileNetV3, whose features the encoder learns; see `training.mimicry`."""
    trunk: Path | None = None
    """Weights of EfficientNet-Lite0 for the trunk, see `training.trunk`; None if `begin` has one,
    or for none.
    """
    plate: bool = False
    """Train `models.mattecam.network.PlateNetwork`; then `begin` holds exported weights of either
    network.
    """


def size_of_step(stage: Stage, step: int) -> tuple[int, int]:
    """Return (width, height) of the frames of a step: the stage's or a variation, equal in all
    processes.
    """
    rng = np.random.default_rng([stage.seed, step])
    if rng.random() >= stage.vary:
        return stage.size
    factor = rng.choice(_OTHER_SIZES)
    width, height = (round(side * factor / _GRAIN) * _GRAIN for side in stage.size)
    return max(_GRAIN, width), max(_GRAIN, height)


def frames_of_step(stage: Stage, step: int) -> int:
    """Return the frames of each sequence of a step, equal in all processes; 1 for single pictures."""
    return (
        1 if np.random.default_rng([stage.seed, step, 1]).random() < stage.stills else stage.frames
    )


class Draw:
    """Draws the batch of a step, uint8, for one process of a stretch. Can be sent to other
    processes.
    """

    def __init__(self, stage: Stage, rank: int, processes: int) -> None:
        self._arguments = stage, rank, processes
        self._sources: dict[tuple[tuple[int, int], int], SampleSource] = {}

    def __reduce__(self) -> tuple[type[Draw], tuple[Stage, int, int]]:
        """Send the arguments only: every process maps the packs itself."""
        return Draw, self._arguments

    def __call__(self, step: int) -> Batch:
        """Return this process's share of the samples of a step."""
        stage, rank, processes = self._arguments
        frames = frames_of_step(stage, step)
        source = self.source_of(size_of_step(stage, step), frames)
        share = stage.batch * stage.frames // frames // processes
        first = step * stage.batch * stage.frames + rank * share
        return stacked([source.draw(first + i) for i in range(share)])

    def source_of(self, size: tuple[int, int], frames: int) -> SampleSource:
        """Return the source of samples of this size and length."""
        key = size, frames
        if key not in self._sources:
            stage = self._arguments[0]
            kind = PlateSource if stage.plate else SampleSource
            self._sources[key] = kind(
                stage.cache, size, frames, seed=stage.seed, unspoilt=stage.unspoilt
            )
        return self._sources[key]


class Run:
    """One process of a stretch of training; rank 0 writes the log and the checkpoints."""

    def __init__(self, stage: Stage, rank: int, processes: int, rendezvous: str) -> None:
        """Start from the weights of `stage.begin`, or resume the run in `stage.out`."""
        cv2.setNumThreads(1)
        self.stage, self.rank, self.processes = stage, rank, processes
        parallel.join(rank, processes, rendezvous)
        torch.manual_seed(stage.seed)
        self.device = torch.device(stage.device)
        begin = self.checkpoint if self.checkpoint.exists() else stage.begin
        state = _checkpoint(begin)
        self.learner = Learner(_has_heads(begin, state), self._network(begin, state)).to(
            self.device
        )
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = True
            self.learner.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.dtype = half_type(self.device) if stage.half else None
        """Half precision in which the networks run; None for float32."""
        self.teacher = (
            FeatureTeacher(stage.teacher, self.device, self.dtype) if stage.teacher else None
        )
        self.average = Average(self.learner, stage.ema)
        trunk = self.learner.student.trunk
        pretrained = set_trained_parts(trunk) if trunk else ()
        self.optimizer = Optimizer(self.learner.parameters(), stage.rate, pretrained)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)
        self.step, self.seconds = 0, 0.0
        self.waited_s = 0.0
        """Time that `train` waited for samples."""
        self.stopped = False
        """Whether `stop` was called."""
        if state:
            self._load(state)
        self.draw = Draw(stage, rank, processes)
        self.source = self.draw.source_of(stage.size, stage.frames)

    @property
    def checkpoint(self) -> Path:
        """Path of the newest checkpoint of this run."""
        return self.stage.out / "checkpoint.pt"

    def stop(self) -> None:
        """Asks for the end after the step in progress (any thread, or a signal handler); what the
        process of rank 0 was asked counts for all.
        """
        self.stopped = True

    def train(self) -> None:
        """Train until the stage's minutes are over or `stop` is called; then write the checkpoint."""
        self.learner.train()
        if self.stage.frames > 1:
            # Batches of sequences hold too few scenes for batch statistics.
            _keep_statistics(self.learner)
        elif self.learner.student.trunk is not None:
            _keep_statistics(self.learner.student.trunk.encoder)
        begun = saved = time.monotonic()
        before = self.seconds
        total = self.stage.minutes * 60
        drawn = batches(self.draw, self.step, self.stage.workers, pinned=self.device.type == "cuda")
        with closing(drawn), Bar(total, self.seconds, shown=self.rank == 0) as bar:
            while parallel.agreed(self.seconds < total and not self.stopped, self.processes):
                asked_s = time.monotonic()
                batch = next(drawn)
                self.waited_s += time.monotonic() - asked_s
                losses = self._step(batch, min(1.0, self.seconds / total))
                now = time.monotonic()
                self.seconds = before + now - begun
                if self.rank == 0 and self.step % _LOG_EVERY == 0:
                    self._log({"losses": losses})
                    bar.update(self.seconds, f"step {self.step}, loss {sum(losses.values()):.4f}")
                if self.rank == 0 and now - saved > self.stage.save_minutes * 60:
                    self._save()
                    saved = now
        if self.rank == 0:
            self._save()

    def _step(self, batch: Batch, progress: float) -> dict[str, float]:
        self.optimizer.set_rate(rate_at(self.stage.rate, self.step, progress, _WARM_UP_STEPS))
        batch = on_device(batch, self.device)
        wanted = self.teacher(batch.clean) if self.teacher else None
        losses = self.learner(batch, self.dtype, wanted)
        self.optimizer.zero_grad()
        torch.autograd.backward(self.scaler.scale(torch.stack(list(losses.values())).sum()))
        parallel.average_gradients(self.learner.parameters(), self.processes)
        self.optimizer.step(self.scaler, LONGEST_GRADIENT)
        self.average.update(self.learner)
        self.step += 1
        if self.step % _LOG_EVERY:
            return {}
        return {name: float(value.detach()) for name, value in losses.items()}

    def _save(self) -> None:
        state = {
            "learner": self.learner.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "scaler": self.scaler.state_dict(),
            "hints": self.learner.hints,
        }
        self.stage.out.mkdir(parents=True, exist_ok=True)
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.checkpoint)
        averaged = self.average.module
        assert isinstance(averaged, Learner)
        if not self.stage.plate:  # the pictures of the check have no plates
            self._log(
                {
                    "check": quick_check(
                        averaged.student, self.stage.cache, self.stage.size, self.device
                    )
                }
            )

    def _network(self, begin: Path | None, state: State) -> MattecamNetwork:
        """Return a network with the layout of the weights to begin with; of exported weights also
        with these.
        """
        stage = self.stage
        kind = PlateNetwork if stage.plate else MattecamNetwork
        if state:
            network = kind.for_weights(name.removeprefix("student.") for name in state["learner"])
            if stage.trunk and network.trunk is None:
                raise UsageError(
                    "The checkpoint has no trunk; export its weights and give these with --from."
                )
            return network
        network = load(begin) if begin else MattecamNetwork()
        if stage.trunk and network.trunk is None:
            if stage.frames > 1:
                raise UsageError(
                    "A new trunk is trained on single pictures first; give --frames 1."
                )
            network = with_trunk(network, stage.trunk)
        return with_plate(network) if stage.plate else network

    def _load(self, state: State) -> None:
        self.average.load_state_dict(state["average"])
        if self.checkpoint.exists():
            self.learner.load_state_dict(state["learner"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.scaler.load_state_dict(state["scaler"] or self.scaler.state_dict())
            self.step, self.seconds = state["step"], state["seconds"]
        else:
            # A new stretch starts from the averaged weights, which are better.
            self.learner.load_state_dict(self.average.module.state_dict())

    def _log(self, entry: dict[str, dict[str, float]]) -> None:
        line = {"step": self.step, "minutes": round(self.seconds / 60, 3), **entry}
        self.stage.out.mkdir(parents=True, exist_ok=True)
        with (self.stage.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _checkpoint(begin: Path | None) -> State:
    """Return the contents of a checkpoint; nothing for exported weights and for random ones."""
    if begin is None or begin.suffix == ".safetensors":
        return {}
    state: State = torch.load(begin, map_location="cpu", weights_only=True)
    return state


def _has_heads(begin: Path | None, state: State) -> bool:
    """Return whether a run trains auxiliary heads: not if its network was trained without them."""
    return bool(state.get("hints", True)) if state else begin is None


def _keep_statistics(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
