"""Further checks of `benchmarks.gpu`: the network alone, limited memory, a person in half precision, training."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from app.bench.usual_loop import UsualLoop, frozen
from app.core.types import BgrImage
from app.matting.geometry import StepGeometry
from app.matting.step.edges import plan
from app.matting.step.full_size import TorchFullSize
from app.matting.step.step import FrameStep, StepMode
from app.matting.torch_backend.eager import DTYPES, EagerExecutor
from app.matting.torch_backend.networks import place
from benchmarks.gpu_measure import HD, OFF, STRICT, UHD, Row, answer_of, timed
from benchmarks.gpu_parts import ROOT, Bench, frames
from training.loader import Batch
from training.optimizer import Optimizer
from training.step import Learner, half_type, on_device

DEAREST = 15
LIMITS_GB = (2, 4)


def detail(bench: Bench) -> Iterator[Row]:
    """The frozen network in the usual loop, a graph's replay alone, and the dearest kernels of it."""
    for width, height, ratio in (HD, UHD):
        size = bench.size(width, height)
        ratio *= 2 if bench.rehearsal else 1
        pictures, behind = frames(*size, 4), frames(*size, 1)[0]
        dtype = DTYPES[bench.precision]
        network = bench.network("rvm").to(bench.device, dtype)
        source = torch.zeros(1, 3, size[1], size[0], device=bench.device, dtype=dtype)
        with torch.inference_mode():
            _, _, *states = network(source, None, None, None, None, ratio)
            loop = UsualLoop(frozen(network, source, tuple(states), ratio), behind, ratio, 4, bench.device, dtype)

            def step(index: int, loop: UsualLoop = loop, pictures: list[BgrImage] = pictures) -> None:
                loop.step(pictures[index % len(pictures)])

            yield {"what": "usual loop, frozen", "size": size, **timed(step, bench.seconds(4))}
        yield from _replayed(bench, StepGeometry(*size, ratio))


def _replayed(bench: Bench, geometry: StepGeometry) -> Iterator[Row]:
    core = bench.core("rvm")
    step = FrameStep(core, geometry, DTYPES[bench.precision], bench.full_size())
    frame = torch.zeros(1, geometry.height, geometry.width, 3, dtype=torch.uint8, device=bench.device)
    state = step.initial_state()
    backend = bench.backend()

    def work() -> tuple[torch.Tensor]:
        given = step.coefficients(frame, state)
        return (step.finish(frame, given, frame, StepMode(plan(OFF)))[0].composite,)

    _, replay = backend.capture(work, 0)

    def run(index: int) -> None:
        replay()
        bench.wait()

    size = geometry.width, geometry.height
    yield {"what": "replay alone", "size": size, **timed(run, bench.seconds(2))}
    for name, ms in _dearest(bench, replay):
        yield {"kernel": name[:80], "size": size, "ms": round(ms, 4)}
    backend.close()


def _dearest(bench: Bench, replay: Callable[[], None], count: int = 5) -> list[tuple[str, float]]:
    """Return (name, ms per replay) of the kernels that take longest; in a rehearsal of the operations on the CPU."""
    activity = ProfilerActivity.CPU if bench.rehearsal else ProfilerActivity.CUDA
    with profile(activities=[activity]) as profiler:
        for _ in range(count):
            replay()
        bench.wait()
    own = "self_cpu_time_total" if bench.rehearsal else "self_device_time_total"
    times = [(str(event.key), float(getattr(event, own)) / count / 1e3) for event in profiler.key_averages()]
    return sorted(times, key=lambda pair: -pair[1])[:DEAREST]


def limits(bench: Bench) -> Iterator[Row]:
    """RVM at 720p with little GPU memory, in a process of its own each."""
    for gigabytes in LIMITS_GB:
        answer = answer_of(bench, f"limit-{gigabytes}")
        yield {"limit_gb": gigabytes, "answer": answer, "passed": answer.startswith("runs")}


def person(bench: Bench) -> Iterator[Row]:
    """The bundled network in half precision on the GPU against float32 on the CPU, on a person who moves."""
    width, height = bench.size(1280, 720)
    geometry = StepGeometry(width, height, 0.5)
    pictures = moving_person(width, height, 12)
    for strict in (OFF, STRICT):
        network = place(bench.network("student"), "cpu", torch.float32)
        core = bench.core("student").__class__(network).eval()
        exact = EagerExecutor(core, geometry, "cpu", "float32", TorchFullSize())
        found = bench.graph("student", geometry)
        most, mean = 0, 0.0
        for picture in pictures:
            mine = found.run(picture, pictures[0], strict, False).alpha.astype(int)
            off = np.abs(mine - exact.run(picture, pictures[0], strict, False).alpha)
            most, mean = max(most, int(off.max())), max(mean, float(off.mean()))
        yield {
            "strict": strict.strict,
            "alpha_off_most": most,
            "alpha_off_mean": round(mean, 4),
            "passed": mean < 0.6,
        }
        found.close()
        exact.close()


def moving_person(width: int, height: int, count: int) -> list[BgrImage]:
    """Return frames of a photo of a person that moves to the right, (H, W, 3) uint8 BGR."""
    photo = cv2.imread(str(ROOT / "app" / "assets" / "astronaut.png"))
    assert photo is not None
    scale = 1.15 * max(width / photo.shape[1], height / photo.shape[0])
    large = np.asarray(cv2.resize(photo, None, fx=scale, fy=scale), np.uint8)
    room = large.shape[1] - width
    lefts = [room - room * index // count for index in range(count)]
    return [np.ascontiguousarray(large[:height, left : left + width]) for left in lefts]


def training(bench: Bench) -> Iterator[Row]:
    """A step of training alone, on a fixed batch."""
    width, height = (64, 48) if bench.rehearsal else (256, 144)
    device = torch.device(bench.device)
    for count in (2, 4) if bench.rehearsal else (24, 128):
        torch.manual_seed(0)
        learner = Learner().to(device).train()
        learner.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = Optimizer(learner.parameters(), 1e-4)
        colour = torch.randint(0, 256, (count, 1, height, width, 3), dtype=torch.uint8)
        fixed = on_device(Batch(colour, colour, colour[..., :1], colour), device)

        def step(
            index: int,
            learner: Learner = learner,
            optimizer: Optimizer = optimizer,
            batch: Batch = fixed,
        ) -> None:
            optimizer.zero_grad()
            torch.autograd.backward(torch.stack(list(learner(batch, half=True).values())).sum())
            optimizer.step()
            bench.wait()

        row = timed(step, bench.seconds(6))
        rate = round(float(str(row["fps"])) * count, 1)
        yield {"batch": count, "precision": str(half_type(device)), "samples_per_s": rate, **row}
