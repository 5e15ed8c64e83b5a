"""Trains the student from the teacher's cache: `python -m training.train --help`."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer

from training.cache import default_cache
from training.run import Run, Stage


@dataclass(frozen=True)
class Launch:
    """What every process of a run is started with."""

    stage: Stage
    processes: int
    rendezvous: str


def main(
    out: Annotated[Path, typer.Option(help="Folder for checkpoints and the log; a run found there is resumed.")],
    cache: Annotated[Path | None, typer.Option(help="Folder that `python -m training.cache` filled.")] = None,
    begin: Annotated[Path | None, typer.Option("--from", help="Checkpoint that a new run starts from.")] = None,
    size: Annotated[str, typer.Option(help="Width and height of the frames.")] = "256x144",
    frames: Annotated[int, typer.Option(min=1, help="Frames of a sequence; 1 trains on single pictures.")] = 1,
    batch: Annotated[int, typer.Option(min=1, help="Sequences of a step, over all processes.")] = 32,
    minutes: Annotated[float, typer.Option(help="Length of the run; the learning rate falls to zero over it.")] = 20,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-3,
    ema: Annotated[float, typer.Option(help="Decay of the averaged weights per step.")] = 0.998,
    seed: Annotated[int, typer.Option(help="Seed of the weights and the samples.")] = 0,
    save_minutes: Annotated[float, typer.Option(help="Minutes between checkpoints.")] = 3,
    processes: Annotated[int, typer.Option(min=1, help="Training processes; on a CPU, one for each core.")] = 1,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    half: Annotated[bool, typer.Option(help="bfloat16 in the network.")] = True,
) -> None:
    """Trains the student, or goes on where the run in OUT stopped; the best stretches are small frames first."""
    context = multiprocessing.get_context("spawn")
    width, height = (int(part) for part in size.split("x"))
    stage = Stage(
        out=out,
        cache=cache or default_cache(),
        begin=begin,
        size=(width, height),
        frames=frames,
        batch=batch,
        minutes=minutes,
        rate=rate,
        ema=ema,
        seed=seed,
        save_minutes=save_minutes,
        device=device,
        half=half,
    )
    if processes == 1:
        work(0, Launch(stage, 1, ""))
        return
    with tempfile.TemporaryDirectory() as folder:
        launch = Launch(stage, processes, os.fspath(Path(folder) / "rendezvous"))
        workers = [context.Process(target=work, args=(rank, launch)) for rank in range(processes)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    if any(worker.exitcode for worker in workers):
        raise typer.Exit(1)


def work(rank: int, launch: Launch) -> None:
    """One process of a run."""
    if launch.processes > 1:
        torch.set_num_threads(1)
    Run(launch.stage, rank, launch.processes, launch.rendezvous).train()


if __name__ == "__main__":
    typer.run(main)
