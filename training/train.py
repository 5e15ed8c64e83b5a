"""Train the student from the teacher's cache: `python -m training.train --help`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import torch
import typer

from app.core import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED
from training.run import Run, Stage
from training.store import PACKS, default_cache

SAVING_LIMIT_S = 120.0
"""Time for a process to write its last checkpoint after it was asked to end."""
FAILED_LIMIT_S = 10.0
"""The same if another process has failed already."""
T = TypeVar("T")
_STOPPING = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class Launch:
    """Arguments of every process of a run."""

    stage: Stage
    processes: int
    rendezvous: str


def main(
    out: Annotated[
        Path, typer.Option(help="Folder for checkpoints and the log; a run found there is resumed.")
    ],
    cache: Annotated[
        Path | None, typer.Option(help="Folder that `python -m training.cache` filled.")
    ] = None,
    begin: Annotated[
        Path | None, typer.Option("--from", help="Checkpoint or exported weights to start from.")
    ] = None,
    size: Annotated[str, typer.Option(help="Width and height of the frames.")] = "256x144",
    vary: Annotated[
        float, typer.Option(min=0, max=1, help="Share of steps at 0.6 to 1.2 times the size.")
    ] = 0.0,
    unspoilt: Annotated[
        float, typer.Option(min=0, max=1, help="Share of samples that no camera spoils.")
    ] = 0.0,
    frames: Annotated[
        int, typer.Option(min=1, help="Frames of a sequence; 1 trains on single pictures.")
    ] = 1,
    stills: Annotated[
        float, typer.Option(min=0, max=1, help="Share of steps on single pictures.")
    ] = 0.0,
    batch: Annotated[
        int, typer.Option(min=1, help="Sequences of a step, over all processes.")
    ] = 32,
    minutes: Annotated[
        float, typer.Option(help="Length of the run; the learning rate falls to zero over it.")
    ] = 20,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-3,
    ema: Annotated[float, typer.Option(help="Decay of the averaged weights per step.")] = 0.998,
    seed: Annotated[int, typer.Option(help="Seed of the weights and the samples.")] = 0,
    save_minutes: Annotated[float, typer.Option(help="Minutes between checkpoints.")] = 3,
    processes: Annotated[
        int, typer.Option(min=1, help="Training processes; on a CPU, one for each core.")
    ] = 1,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that draw samples; 0 draws in the trainer.")
    ] = 0,
    teacher: Annotated[
        Path | None, typer.Option(help="RVM MobileNetV3, to learn its features, too.")
    ] = None,
    trunk: Annotated[
        Path | None, typer.Option(help="EfficientNet-Lite0, to add a trunk to the network.")
    ] = None,
    plate: Annotated[
        bool, typer.Option(help="Train the network that also sees a picture of the empty room.")
    ] = False,
    half: Annotated[
        bool, typer.Option(help="bfloat16; without it, float16 on GPUs and float32 on CPUs.")
    ] = True,
) -> None:
    """Train the student, or resume the run in OUT. Start with small frames.

    SIGTERM and Ctrl+C end it after the current step, with a checkpoint.
    """
    folder = filled(cache)
    width, height = (int(part) for part in size.split("x"))
    stage = Stage(
        out=out,
        cache=folder,
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
        workers=workers,
        half=half,
        vary=vary,
        unspoilt=unspoilt,
        stills=stills,
        teacher=teacher,
        trunk=trunk,
        plate=plate,
    )
    raise typer.Exit(train_here(stage) if processes == 1 else train_in_processes(stage, processes))


def filled(cache: Path | None) -> Path:
    """Return the folder of a cache that has all packs; None is the default one. Raises BadParameter
    otherwise.
    """
    folder = cache or default_cache()
    missing = [pack for pack in PACKS if not (folder / f"{pack}.json").is_file()]
    if missing:
        raise typer.BadParameter(
            f"{folder} has no {' and no '.join(missing)}; fill it with training.cache first."
        )
    return folder


def train_here(stage: Stage) -> int:
    """Run in this process; return the exit code."""
    run = Run(stage, 0, 1, "")
    _end_on_signals(run.stop)
    run.train()
    return EXIT_INTERRUPTED if run.stopped else EXIT_DONE


def train_in_processes(stage: Stage, processes: int) -> int:
    """Run in child processes, none of which outlives this call; return the exit code."""
    return run_processes(work, lambda rendezvous: Launch(stage, processes, rendezvous), processes)


def run_processes(
    target: Callable[[int, T], None], launch: Callable[[str], T], processes: int
) -> int:
    """Run target(rank, launch(rendezvous)) in child processes, none of which outlives this call;
    return the exit code.

    launch: is called once; for the rendezvous, see `training.parallel`.
    """
    context = multiprocessing.get_context("spawn")
    workers: list[SpawnProcess] = []
    with tempfile.TemporaryDirectory() as folder:
        launched = launch(os.fspath(Path(folder) / "rendezvous"))
        _end_on_signals(_interrupt)
        try:
            for rank in range(processes):
                workers.append(context.Process(target=target, args=(rank, launched)))
                workers[-1].start()
            # Asked once per round: without a sentinel, `wait` would wait for ever.
            while (
                alive := [worker.sentinel for worker in workers if worker.is_alive()]
            ) and not any(worker.exitcode for worker in workers):
                wait(alive)
        except KeyboardInterrupt:
            return EXIT_INTERRUPTED
        finally:
            _end(workers)
    return EXIT_FAILED if any(worker.exitcode for worker in workers) else EXIT_DONE


def _end_on_signals(end: Callable[[], object]) -> None:
    for number in _STOPPING:
        signal.signal(number, lambda *_: end())


def _interrupt() -> NoReturn:
    for number in _STOPPING:  # the shutdown below must not be interrupted
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end(workers: list[SpawnProcess]) -> None:
    """Ask every process to end, and kill those that do not."""
    limit_s = FAILED_LIMIT_S if any(worker.exitcode for worker in workers) else SAVING_LIMIT_S
    for worker in workers:
        if worker.pid is not None:
            worker.terminate()
    for worker in workers:
        if worker.pid is not None:
            worker.join(limit_s)
            worker.kill()
            worker.join()


def work(rank: int, launch: Launch) -> None:
    """Run one process of a run; it ends if its parent ends."""
    # Ctrl+C reaches every process; the parent forwards it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    run = Run(launch.stage, rank, launch.processes, launch.rendezvous)
    signal.signal(signal.SIGTERM, lambda *_: run.stop())
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_stop_after, args=(parent.sentinel, run), daemon=True).start()
    run.train()


def _stop_after(sentinel: int, run: Run) -> None:
    wait([sentinel])
    run.stop()


if __name__ == "__main__":
    typer.run(main)
