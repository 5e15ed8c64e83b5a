"""Measure what runs the networks on an NVIDIA GPU: eager torch, `torch.compile` and the program's
graph, in one run.

    benchmarks/gpu.sh [--folder FOLDER] [--rehearse]

All three run the same frame step with the same weights. Needs torch, numpy, OpenCV, pydantic and
safetensors, and no package index. Prints a line per result at once and keeps all of them in
`results.json` of the folder. --rehearse runs everything on the CPU with small frames: that tests
the script, and its numbers mean nothing. The exit code is 1 if alpha or a composite is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from app.core.settings import EdgeSettings, StrictLevel
from app.core.types import BgrImage
from app.matting.choice.preparation import PORTRAIT
from app.matting.edges import plan
from app.matting.interface import StepGeometry, StepRequest
from app.matting.torch.frame_step import Core, FrameStep, State, StepInputs
from app.matting.torch.torch_backend import DTYPES, SETTLED_STEPS, TorchBackend, place, usual_loop
from models.mattecam.bundled import load
from models.rvm.network import MattingNetwork

Row = dict[str, object]
Step = Callable[[Tensor, State], tuple[Tensor, State]]
"""Maps frame and state to composite and state, on the device."""
EDGES = EdgeSettings()
LEVELS: tuple[StrictLevel, ...] = ("off", "balanced")
SIZES = ((1280, 720, 0.25), (3840, 2160, 0.125))
"""Width, height and downsample ratio."""
WARM_UPS = SETTLED_STEPS + 10
"""After these the program's step is a recorded graph."""
ALPHA_TOLERANCE = 0.6
"""Largest mean difference of alpha, of 255, from float32 on the CPU."""
MOST_ROWS_TO_COMPILE = 720
"""Rows of the largest frame whose step is compiled: at 4K that takes 100 s."""


@dataclass(frozen=True)
class Bench:
    """The device, and the scale of the work."""

    rehearsal: bool

    @property
    def device(self) -> str:
        """Device of torch."""
        return "cpu" if self.rehearsal else "cuda"

    @property
    def precision(self) -> str:
        """Precision of the networks."""
        return "float32" if self.rehearsal else "float16"

    def geometry(self, width: int, height: int, ratio: float) -> StepGeometry:
        """Return the geometry to use for a nominal size."""
        return (
            StepGeometry(width // 10, height // 10, 0.5)
            if self.rehearsal
            else StepGeometry(width, height, ratio)
        )

    def seconds(self, wanted_s: float) -> float:
        """Return how long to measure."""
        return min(wanted_s, 0.2) if self.rehearsal else wanted_s

    def core(self, model: str, device: str | None = None, precision: str | None = None) -> Core:
        """Return a core: the bundled network, or RVM with random weights, on which its speed does
        not depend.
        """
        torch.manual_seed(1)
        network = load() if model == "mattecam" else MattingNetwork()
        dtype = DTYPES[precision or self.precision]
        return Core(
            place(network.eval().requires_grad_(False), device or self.device, dtype)
        ).eval()

    def compiled(self, step: Step) -> Step:
        """Return the compiled step; a rehearsal only traces it, because compiling takes minutes."""
        return (
            torch.compile(step, backend="eager")
            if self.rehearsal
            else torch.compile(step, mode="reduce-overhead")
        )

    def wait(self) -> None:
        """Wait for the device."""
        if not self.rehearsal:
            torch.cuda.synchronize()


def timed(call: Callable[[int], object], seconds: float) -> Row:
    """Call repeatedly for so long after a warm-up; return median, 95th percentile, frame rate and
    processor time.
    """
    for index in range(WARM_UPS):
        call(index)
    times_ms: list[float] = []
    end_s, cpu_s = time.perf_counter() + seconds, time.process_time()
    while (start_s := time.perf_counter()) < end_s or len(times_ms) < 3:
        call(len(times_ms))
        times_ms.append((time.perf_counter() - start_s) * 1e3)
    cpu_ms = (time.process_time() - cpu_s) * 1e3 / len(times_ms)
    median_ms, p95_ms = (float(value) for value in np.percentile(times_ms, (50, 95)))
    row = {"median_ms": median_ms, "p95_ms": p95_ms, "cpu_ms": cpu_ms, "fps": 1e3 / median_ms}
    return {name: round(value, 3) for name, value in row.items()}


def frames(width: int, height: int, count: int) -> list[BgrImage]:
    """Return frames with a person who moves, (H, W, 3) uint8 BGR."""
    picture = np.asarray(cv2.imread(str(PORTRAIT), cv2.IMREAD_COLOR), np.uint8)
    frame = cv2.copyMakeBorder(
        cv2.resize(picture, (height, height)), 0, 0, 0, width - height, cv2.BORDER_REPLICATE
    )
    return [np.roll(frame, index * width // 80, 1).astype(np.uint8) for index in range(count)]


def machine(bench: Bench) -> Iterator[Row]:
    """Versions and the card."""
    yield {"torch": torch.__version__, "cuda": torch.version.cuda, "python": sys.version.split()[0]}
    if not bench.rehearsal:
        card = torch.cuda.get_device_properties(0)
        yield {"card": card.name, "memory_gb": round(card.total_memory / 1e9, 1)}


def correctness(bench: Bench) -> Iterator[Row]:
    """The program's executor on the device against float32 on the CPU."""
    geometry = bench.geometry(1280, 720, 0.25)
    pictures = frames(geometry.width, geometry.height, 12)
    for strict in LEVELS:
        exact = TorchBackend(bench.core("mattecam", "cpu", "float32"), geometry)
        found = TorchBackend(bench.core("mattecam"), geometry, bench.device, bench.precision)
        for each in (exact, found):
            # strict mode shows people at once
            each.reset(np.full(pictures[0].shape[:2], 255, np.uint8))
        most, mean, person = 0, 0.0, 0.0
        for picture in pictures * (1 + WARM_UPS // len(pictures)):
            mine = found.step(StepRequest(picture, pictures[0], EDGES, strict)).alpha.astype(int)
            right = exact.step(StepRequest(picture, pictures[0], EDGES, strict)).alpha
            off = np.abs(mine - right)
            most, mean, person = (
                max(most, int(off.max())),
                max(mean, float(off.mean())),
                float((right > 127).mean()),
            )
        graph = found.recorded_step is not None and found.recorded_step.recorded_form is not None
        row: Row = {"strict": strict, "graph": graph, "person": round(person, 3), "off_most": most}
        # Without a person the difference means nothing.
        yield row | {
            "off_mean": mean,
            "passed": mean < ALPHA_TOLERANCE and person > 0.1 and graph != bench.rehearsal,
        }


def speed(bench: Bench) -> Iterator[Row]:
    """The usual loop, then the frame step: eager and compiled; then the program with its transfers."""
    for size in SIZES:
        geometry = bench.geometry(*size)
        pictures = frames(geometry.width, geometry.height, 4)
        names = {"size": [geometry.width, geometry.height], "ratio": geometry.ratio}
        network = (
            MattingNetwork().eval().requires_grad_(False).to(bench.device, DTYPES[bench.precision])
        )
        usual = usual_loop(network, pictures[0], geometry.ratio, bench.device, bench.precision)
        with torch.inference_mode():
            row = timed(lambda index: usual(pictures[index % 4]), bench.seconds(4))  # noqa: B023
        yield names | {"what": "usual loop"} | row
        for strict in LEVELS:
            yield from (names | row for row in _steps(bench, geometry, strict))
        yield from (names | row for row in _program(bench, geometry))


def _program(bench: Bench, geometry: StepGeometry) -> Iterator[Row]:
    """Measure what the program runs, with transfers: recorded as it does, and eager."""
    pictures = frames(geometry.width, geometry.height, 4)
    for what in ("program", "program, eager"):
        executor = TorchBackend(bench.core("rvm"), geometry, bench.device, bench.precision)
        executor.recorded_step = executor.recorded_step if what == "program" else None
        for strict in LEVELS:

            def call(
                index: int, strict: StrictLevel = strict, executor: TorchBackend = executor
            ) -> None:
                executor.step(StepRequest(pictures[index % 4], pictures[0], EDGES, strict))

            yield {"what": what, "strict": strict, **timed(call, bench.seconds(4))}
        executor.close()


def _steps(bench: Bench, geometry: StepGeometry, strict: StrictLevel) -> Iterator[Row]:
    """Measure the same step in each way, with frame and state on the device."""
    step = FrameStep(bench.core("rvm"), geometry, DTYPES[bench.precision])
    frame = torch.from_numpy(frames(geometry.width, geometry.height, 1)[0]).to(bench.device)
    planned = plan(EDGES)

    def eager(image: Tensor, state: State) -> tuple[Tensor, State]:
        output = step(StepInputs(image, image, state, planned, strict))
        return output.composite, output.state

    with torch.inference_mode():
        state = step.initial_state()
        expected = eager(frame, state)[0]
        for name in (
            ("eager", "compiled") if geometry.height <= MOST_ROWS_TO_COMPILE else ("eager",)
        ):
            named: Row = {"what": f"step, {name}", "strict": strict}
            try:
                start_s = time.perf_counter()
                way = eager if name == "eager" else bench.compiled(eager)
                composite = way(frame, state)[0].clone()
                bench.wait()
                first_s = time.perf_counter() - start_s

                def call(index: int, way: Step = way) -> None:
                    way(frame, state)
                    bench.wait()

                row = timed(call, bench.seconds(4))
            except Exception as error:  # noqa: BLE001 - the other ways are worth measuring
                # a compiler may be missing
                yield named | {"error": _told(error), "passed": name == "compiled"}
                continue
            off = float((composite.float() - expected.float()).abs().mean())
            yield named | {"first_s": round(first_s, 2), "off": off, "passed": off < 1, **row}


CHECKS: tuple[Callable[[Bench], Iterator[Row]], ...] = (machine, correctness, speed)


def run(
    bench: Bench, file: Path, checks: tuple[Callable[[Bench], Iterator[Row]], ...] = CHECKS
) -> bool:
    """Run the checks, one after the other even if one fails; write the results; return whether all
    passed.
    """
    rows: list[Row] = []
    for check in checks:
        try:
            for row in check(bench):
                rows.append({"check": check.__name__, **row})
                print(" ".join(f"{name}={value}" for name, value in rows[-1].items()), flush=True)
        except Exception as error:  # noqa: BLE001 - the other checks are worth having
            rows.append({"check": check.__name__, "error": _told(error), "passed": False})
            print(rows[-1], flush=True)
        file.write_text(json.dumps(rows, indent=1, default=str))
    return all(row.get("passed", True) for row in rows)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:300]}"


def main() -> None:
    """Run and summarize."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path("gpu-results"))
    parser.add_argument("--rehearse", action="store_true")
    words = parser.parse_args()
    if not words.rehearse and not torch.cuda.is_available():
        sys.exit(
            "There is no NVIDIA GPU that torch can use; --rehearse runs the checks on the CPU."
        )
    if words.rehearse:
        torch.set_num_threads(1)  # the frames are too small to share
    words.folder.mkdir(parents=True, exist_ok=True)
    sys.exit(not run(Bench(words.rehearse), words.folder / "results.json"))


if __name__ == "__main__":
    main()
