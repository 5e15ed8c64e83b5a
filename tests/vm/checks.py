"""Run the device checks in the virtual machine: `python -m tests.vm.checks [NAME...]`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

from app.core.errors import MattecamError
from tests.vm import checks_browser, checks_camera, checks_doctor, checks_formats, checks_program, checks_source
from tests.vm.tools import CheckFailed

Check = Callable[[], None]
ALL: dict[str, Check] = {
    **checks_camera.CHECKS,
    **checks_formats.CHECKS,
    **checks_source.CHECKS,
    **checks_browser.CHECKS,
    **checks_doctor.CHECKS,
    **checks_program.CHECKS,
}


def main(names: list[str]) -> int:
    """Run the checks, print the results and return the exit code."""
    failed = []
    for name in names or list(ALL):
        sys.stdout.write(f"{name}\n")
        started_s = time.monotonic()
        try:
            ALL[name]()
        except (CheckFailed, MattecamError, OSError, subprocess.SubprocessError) as error:
            failed.append(name)
            verdict = f"FAILED: {type(error).__name__}: {error}"
        else:
            verdict = "passed"
        sys.stdout.write(f"  {verdict} ({time.monotonic() - started_s:.1f} s)\n")
        sys.stdout.flush()
    sys.stdout.write(f"failed: {', '.join(failed)}\n" if failed else "all passed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
