"""Provoke a failure of a GPU and print whether the program recognizes it; run by `benchmarks.gpu_checks`."""

from __future__ import annotations

import argparse

import torch

from app.matting.base import Executor
from app.matting.engine import FrameEngine
from app.matting.failures import ExecutorError, is_device_lost, is_out_of_memory
from app.matting.geometry import StepGeometry
from benchmarks.gpu_measure import OFF, timed
from benchmarks.gpu_parts import Bench, frames


def main() -> None:
    """Run a step that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fault", choices=["nan", "memory", "assert", "limit-2", "limit-4"])
    parser.add_argument("--rehearse", action="store_true")
    words = parser.parse_args()
    bench = Bench(words.rehearse)
    if words.rehearse:
        torch.set_num_threads(1)
    if words.fault.startswith("limit-"):
        run_limited(bench, int(words.fault[len("limit-") :]) * 1_000_000_000)
        return
    width, height = bench.size(1280, 720)
    core = bench.core("student")
    engine = FrameEngine(
        "student",
        lambda geometry: bench.eager("student", geometry),
        lambda frame_width, frame_height: StepGeometry(frame_width, frame_height, 0.5),
        width,
        height,
    )
    picture = frames(width, height, 1)[0]
    engine.step(picture, picture, OFF)

    def fail(module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        if words.fault == "nan":
            return (given[0] * torch.nan, *given[1:])
        if words.fault == "memory":
            torch.empty(1 << 46, dtype=torch.uint8, device=bench.device)
        index = torch.tensor([1 << 20], device=bench.device)
        given[0].flatten()[: 1 << 10][index].sum().item()
        return given

    def before(module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
        return fail(module, given) if type(module) is type(core) else None

    torch.nn.modules.module.register_module_forward_pre_hook(before)  # type: ignore[arg-type]
    try:
        engine.step(picture, picture, OFF)
    except ExecutorError as error:
        known = {
            "nan": error.invalid_output,
            "memory": is_out_of_memory(error) or words.rehearse,
            "assert": is_device_lost(error),
        }
        engine.close()
        print("recognized" if known[words.fault] else f"not recognized: {error} {error.__cause__}")
    except IndexError as error:
        print("recognized" if words.rehearse else f"not recognized: {error}")
    else:
        print("nothing failed")


def run_limited(bench: Bench, limit: int) -> None:
    """Run RVM with so many bytes of GPU memory, captured, or eager if that does not fit; print which one runs."""
    if not bench.rehearsal:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total))
    width, height = bench.size(1280, 720)
    geometry = StepGeometry(width, height, 0.5 if bench.rehearsal else 0.25)
    picture = frames(width, height, 1)[0]
    try:
        executor: Executor = bench.graph("rvm", geometry)
        executor.run(picture, picture, OFF, False)
    except RuntimeError as error:
        print(f"the graph does not fit: {str(error)[:200]}")
        executor = bench.eager("rvm", geometry)
    row = timed(lambda index: executor.run(picture, picture, OFF, False), bench.seconds(2))
    print(f"runs as {executor.name} at {row['fps']} fps, {bench.reserved_mb()} MB")


if __name__ == "__main__":
    main()
