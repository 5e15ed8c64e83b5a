"""The checks of `benchmarks.gpu`, in the order of its table. Each yields results."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from app.bench.usual_loop import UsualLoop
from app.core.settings import EdgeSettings
from app.core.types import BgrImage
from app.matting.base import Executor
from app.matting.geometry import StepGeometry
from app.matting.step.edges import plan
from app.matting.step.full_size import TorchFullSize
from app.matting.step.plate_core import PlateCore
from app.matting.step.step import FrameStep, StepMode
from app.matting.torch_backend.captured_plate import CapturedPlate
from app.matting.torch_backend.cuda_graph import CudaGraphExecutor
from app.matting.torch_backend.eager import DTYPES, EagerExecutor
from app.matting.torch_backend.fused import FusedFullSize
from app.matting.torch_backend.networks import place
from benchmarks.gpu_detail import detail, limits, person, training
from benchmarks.gpu_measure import HD, OFF, STRICT, UHD, Row, answer_of, timed
from benchmarks.gpu_parts import Bench, frames
from benchmarks.in_flight import BATCHES, BatchesInFlight
from models.bgmv2.network import MattingRefine

FULL_HD = (1920, 1080, 0.25)


def ground(bench: Bench) -> Iterator[Row]:
    """Versions, the card, and the rates of pinned copies."""
    yield {"torch": torch.__version__, "cuda": torch.version.cuda, "python": sys.version.split()[0]}
    if not bench.rehearsal:
        card = torch.cuda.get_device_properties(0)
        yield {"card": card.name, "memory_gb": round(card.total_memory / 1e9, 1)}
        yield {"architectures": torch.cuda.get_arch_list()}
    yield {"fused_kernels": isinstance(bench.full_size(), FusedFullSize)}
    for megabytes in (6, 25):
        count = megabytes * 1_000_000 // (20 if bench.rehearsal else 1)
        host = torch.empty(count, dtype=torch.uint8, pin_memory=not bench.rehearsal)
        device = torch.empty(count, dtype=torch.uint8, device=bench.device)

        def up(index: int, device: torch.Tensor = device, host: torch.Tensor = host) -> None:
            device.copy_(host, non_blocking=True)
            bench.wait()

        row = timed(up, bench.seconds(0.5))
        yield {"copy_mb": count / 1e6, "gb_per_s": round(count / float(str(row["median_ms"])) / 1e6, 1)}


def correctness(bench: Bench) -> Iterator[Row]:
    """Kernels, graphs and builds beside a running engine, against torch in float32."""
    width, height = bench.size(1280, 720)
    geometry = StepGeometry(width, height, 0.5)
    pictures, behind = frames(width, height, 12), frames(width, height, 1)[0]
    network = place(bench.network("student"), bench.device, torch.float32)
    core = bench.core("student").__class__(network).eval()
    reference = EagerExecutor(core, geometry, bench.device, "float32", TorchFullSize())
    wanted = [reference.run(picture, behind, STRICT, True) for picture in pictures]
    for executor in (bench.eager("student", geometry), bench.graph("student", geometry)):
        found = [executor.run(picture, behind, STRICT, True) for picture in pictures]
        differences = [np.abs(one.alpha.astype(int) - other.alpha) for one, other in zip(found, wanted, strict=True)]
        most, mean = max(int(each.max()) for each in differences), max(float(each.mean()) for each in differences)
        yield {
            "executor": executor.name,
            "alpha_off_most": most,
            "alpha_off_mean": round(mean, 4),
            "passed": mean < 0.6,
        }
        executor.close()
    running = bench.graph("student", geometry)
    alone = [running.run(picture, behind, OFF, False).alpha for picture in pictures]
    built: list[CudaGraphExecutor] = []
    ratios = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75)

    def build() -> None:
        with torch.inference_mode():
            built.extend(bench.graph("student", StepGeometry(width, height, ratio)) for ratio in ratios)

    builder = threading.Thread(target=build)
    builder.start()
    rounds, most = 0, 0
    while builder.is_alive() or not rounds:
        running.reset()
        again = [running.run(picture, behind, OFF, False).alpha for picture in pictures]
        most = max(most, *(int(np.abs(a.astype(int) - b).max()) for a, b in zip(again, alone, strict=True)))
        rounds += 1
    builder.join()
    passed = len(built) == len(ratios) and most <= 1
    yield {"builds_beside": len(built), "rounds": rounds, "alpha_off_most": most, "passed": passed}
    for executor in (running, *built):
        executor.close()


def memory(bench: Bench) -> Iterator[Row]:
    """Reserved memory and seconds of a build, for one and two turns."""
    for width, height, ratio in (HD, FULL_HD, UHD):
        size = bench.size(width, height)
        for turns in (1, 2):
            before, start_s = bench.reserved_mb(), time.perf_counter()
            executor = bench.graph("rvm", StepGeometry(*size, ratio * (2 if bench.rehearsal else 1)), turns)
            took_s, during = time.perf_counter() - start_s, bench.reserved_mb()
            executor.close()
            del executor
            yield {
                "size": size, "turns": turns, "build_s": round(took_s, 2),
                "reserved_mb": [before, during, bench.reserved_mb()],
            }  # fmt: skip


def stalls(bench: Bench) -> Iterator[Row]:
    """Steps at 30 Hz in one thread while engines are built in another; asked: p99 at most twice the median."""
    width, height = bench.size(1280, 720)
    pictures, behind = frames(width, height, 4), frames(width, height, 1)[0]
    running = bench.graph("rvm", StepGeometry(width, height, 0.5))
    stop = threading.Event()

    def build() -> None:
        while not stop.is_set():
            bench.graph("rvm", StepGeometry(width, height, 0.55)).close()

    for what in ("alone", "beside builds"):
        builder = threading.Thread(target=build)
        if what != "alone":
            builder.start()
        row = timed(lambda index: running.run(pictures[index % 4], behind, STRICT, False), bench.seconds(8), 30)
        stop.set()
        if what != "alone":
            builder.join()
        stop.clear()
        yield {"steps": what, **row}
    running.close()


def speed(bench: Bench) -> Iterator[Row]:
    """The usual loop, eager and frozen, against the executors, back to back and at 30 Hz."""
    for width, height, ratio in (HD, UHD):
        size = bench.size(width, height)
        ratio *= 2 if bench.rehearsal else 1
        pictures, behind = frames(*size, 4), frames(*size, 1)[0]
        geometry = StepGeometry(*size, ratio)
        dtype = DTYPES[bench.precision]
        network = bench.network("rvm").to(bench.device, dtype)
        usual = UsualLoop(network, behind, ratio, 4, bench.device, dtype)
        seconds = bench.seconds(4)
        with torch.inference_mode():
            yield {"what": "usual loop", "size": size, **_timed_loop(usual, pictures, seconds)}
        for edges, strict in ((OFF, False), (STRICT, True)):
            for executor in (bench.eager("rvm", geometry), bench.graph("rvm", geometry)):
                for hz in (None, 30.0):
                    duration = seconds if hz is None else seconds / 2
                    row = _timed_steps(executor, pictures, behind, edges, duration, hz)
                    yield {"what": executor.name, "strict": strict, "hz": hz, "size": size, **row}
                executor.close()


def _timed_loop(usual: UsualLoop, pictures: list[BgrImage], seconds: float) -> Row:
    return timed(lambda index: usual.step(pictures[index % len(pictures)]), seconds)


def _timed_steps(
    executor: Executor,
    pictures: list[BgrImage],
    behind: BgrImage,
    edges: EdgeSettings,
    seconds: float,
    hz: float | None = None,
) -> Row:
    return timed(lambda index: executor.run(pictures[index % len(pictures)], behind, edges, False), seconds, hz)


def streams(bench: Bench) -> Iterator[Row]:
    """Many 720p streams in one batch, two batches in flight; asked: 200 at 30 Hz.

    Anchor: NVIDIA Maxine on a T4 11, A40 25, L40 44.
    """
    width, height = bench.size(1280, 720)
    geometry = StepGeometry(width, height, 0.5 if bench.rehearsal else 0.25)
    for count in (1, 2) if bench.rehearsal else (1, 8, 32, 64, 128, 256):
        with torch.inference_mode():
            yield _streams(bench, geometry, count)


def _streams(bench: Bench, geometry: StepGeometry, count: int) -> Row:
    core = bench.core("student")
    step = FrameStep(core, geometry, DTYPES[bench.precision], bench.full_size())
    shape = count, geometry.height, geometry.width, 3
    frame = torch.zeros(shape, dtype=torch.uint8, device=bench.device)
    states = core.network.initial_state(count, geometry.small_height, geometry.small_width)  # type: ignore[operator]
    state = *states, step.initial_memory(count)
    backend = bench.backend()

    def work() -> tuple[torch.Tensor]:
        given = step.coefficients(frame, state)
        for target, value in zip(state, given.state, strict=True):
            target.copy_(value)
        return (step.finish(frame, given, frame, StepMode(plan(OFF)))[0].composite,)

    (composites,), replay = backend.capture(work, 0)
    batches = BatchesInFlight(backend, frame, composites, replay)

    def alone(index: int) -> None:
        batches.submit(0)
        batches.free(0)

    one = timed(alone, bench.seconds(1))
    row = timed(batches.submit, bench.seconds(3))
    for lane in range(BATCHES):
        batches.free(lane)
    backend.close()
    per_stream = float(str(row["fps"]))
    return {"streams": count, **row, "alone_ms": one["median_ms"], "at_30_hz": int(per_stream * count / 30)}


def plates(bench: Bench) -> Iterator[Row]:
    """Background Matting V2, eager and captured, and a change of the plate's light."""
    for width, height, _ in (FULL_HD, UHD):
        size = bench.size(width, height)
        pictures = frames(*size, 4)
        torch.manual_seed(1)
        network = place(
            MattingRefine("mobilenetv2").eval().requires_grad_(False), bench.device, DTYPES[bench.precision]
        )
        pixels = round(80_000 * size[0] * size[1] / (1920 * 1080) / 16) * 16
        core = PlateCore(network, pictures[0], 0.25, pixels).eval()
        geometry = StepGeometry(*size, 1.0)
        graph = CudaGraphExecutor(core, geometry, bench.backend(), bench.precision, full_size=bench.full_size())
        eager = EagerExecutor(core, geometry, bench.device, bench.precision, bench.full_size())
        for executor in (eager, graph):
            row = _timed_steps(executor, pictures, pictures[0], OFF, bench.seconds(4))
            yield {"what": f"bgmv2 {executor.name}", "size": size, **row}
        lit, gain = CapturedPlate(graph, core), np.array([0.9, 1, 1.1], np.float32)

        def relight(index: int, lit: CapturedPlate = lit, gain: NDArray[np.float32] = gain) -> None:
            lit.set_gain(gain)
            bench.wait()

        yield {"what": "set_gain", "size": size, **timed(relight, bench.seconds(0.5))}
        eager.close()
        graph.close()


def faults(bench: Bench) -> Iterator[Row]:
    """Failures, each in a process of its own, which must be recognized."""
    for fault in ("nan", "memory", "assert"):
        answer = answer_of(bench, fault)
        yield {"fault": fault, "answer": answer, "passed": answer.startswith("recognized")}


CHECKS: dict[str, tuple[Callable[[Bench], Iterator[Row]], float]] = {
    "ground": (ground, 15),
    "correctness": (correctness, 75),
    "memory": (memory, 35),
    "stalls": (stalls, 30),
    "speed": (speed, 70),
    "detail": (detail, 45),
    "streams": (streams, 50),
    "plates": (plates, 35),
    "faults": (faults, 45),
    "limits": (limits, 30),
    "person": (person, 20),
    "training": (training, 25),
}
"""Name, check, and its share of the time in seconds."""
