"""Every check and measurement that needs an NVIDIA GPU, within eight minutes.

    python -m benchmarks.gpu [--folder FOLDER] [--rehearse] [--only CHECK ...]

Needs torch, numpy, OpenCV, pydantic and safetensors, and no package index. Prints a line per result at once, and keeps
everything in `log.txt` and `results.json` of the folder. --rehearse runs all of it on the CPU with small frames: that
tests the script, and its numbers mean nothing. A check that fails does not stop the others.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from pathlib import Path

import torch

from benchmarks.gpu_checks import CHECKS
from benchmarks.gpu_measure import Row
from benchmarks.gpu_parts import Bench

LIMIT_S = 480.0


class Record:
    """The log and the results; written after each result."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log, self._json = folder / "log.txt", folder / "results.json"
        self._log.write_text("")
        self._rows: list[Row] = []
        self._started_s = time.monotonic()
        self.failed: list[str] = []

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self._started_s

    def add(self, check: str, row: Row) -> None:
        """Print and keep a result."""
        self._rows.append({"check": check, "at_s": round(self.seconds, 1), **row})
        line = f"{self.seconds:6.1f} s  {check:12} " + "  ".join(f"{name}={value}" for name, value in row.items())
        print(line, flush=True)
        with self._log.open("a") as log:
            log.write(line + "\n")
        if "error" in row or row.get("passed") is False:
            self.failed.append(check)
        self._json.write_text(json.dumps(self._rows, indent=1, default=str))


def run(bench: Bench, record: Record, names: list[str]) -> None:
    """Run the checks while time is left; one stops at the result after its share of the time."""
    for name in names:
        check, share_s = CHECKS[name]
        end_s = min(record.seconds + share_s, LIMIT_S)
        try:
            for row in check(bench):
                record.add(name, row)
                if record.seconds > end_s:
                    record.add(name, {"note": "stopped: the time is over"})
                    break
        except Exception as error:  # noqa: BLE001 - the other checks are worth having
            traceback.print_exc()
            record.add(name, {"error": f"{type(error).__name__}: {str(error)[:300]}"})


def main() -> None:
    """Run and summarize; the exit code is 1 if a check failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("gpu-results"))
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("--only", nargs="+", choices=list(CHECKS), default=list(CHECKS))
    words = parser.parse_args()
    if not words.rehearse and not torch.cuda.is_available():
        sys.exit("There is no NVIDIA GPU that torch can use; --rehearse runs the checks on the CPU.")
    if words.rehearse:
        torch.set_num_threads(1)  # threads that wait for one another cost more than they gain on a busy machine
    record = Record(words.folder)
    run(Bench(words.rehearse), record, words.only)
    outcome = f"failed: {', '.join(sorted(set(record.failed)))}" if record.failed else "all passed"
    print(f"== {record.seconds:.0f} s; {outcome}")
    sys.exit(bool(record.failed))


if __name__ == "__main__":
    main()
