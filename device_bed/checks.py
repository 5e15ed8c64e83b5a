"""Run the device checks in the virtual machine: `python -m device_bed.checks [NAME...]`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

from app.core.errors import MattecamError
from device_bed import (
    checks_browser,
    checks_camera,
    checks_doctor,
    checks_obs,
    checks_output,
    checks_program,
    checks_source,
)
from device_bed.tools import CheckFailed, NotHere

Check = Callable[[], None]
OF_BOTH_BACKENDS: dict[str, Check] = {**checks_output.CHECKS, **checks_camera.CHECKS}


def _with_v4l2(check: Check) -> Check:
    def run() -> None:
        os.environ["BACKEND"] = "v4l2"
        try:
            check()
        finally:
            del os.environ["BACKEND"]

    return run


ALL: dict[str, Check] = {
    **OF_BOTH_BACKENDS,
    **{f"v4l2-{name}": _with_v4l2(check) for name, check in OF_BOTH_BACKENDS.items()},
    **checks_source.CHECKS,
    **checks_browser.CHECKS,
    **checks_obs.CHECKS,
    **checks_doctor.CHECKS,
    **checks_program.CHECKS,
}


def main(names: list[str]) -> int:
    """Run the checks, print the results and return the exit code."""
    failed, skipped = [], []
    version = subprocess.run(["modinfo", "-F", "version", "v4l2loopback"], capture_output=True, text=True, check=False)
    sys.stdout.write(f"v4l2loopback {version.stdout.strip()}\n")
    for name in names or list(ALL):
        sys.stdout.write(f"{name}\n")
        started_s = time.monotonic()
        try:
            ALL[name]()
        except (AssertionError, CheckFailed, MattecamError, OSError, subprocess.SubprocessError) as error:
            failed.append(name)
            verdict = f"FAILED: {type(error).__name__}: {error}"
        except NotHere as reason:
            skipped.append(name)
            verdict = f"skipped: {reason}"
        else:
            verdict = "passed"
        sys.stdout.write(f"  {verdict} ({time.monotonic() - started_s:.1f} s)\n")
        sys.stdout.flush()
    if skipped:
        sys.stdout.write(f"skipped: {', '.join(skipped)}\n")
    sys.stdout.write(f"failed: {', '.join(failed)}\n" if failed else "all passed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
