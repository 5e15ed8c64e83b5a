"""The command `mattecam`, also as `python -m mattecam`."""

from __future__ import annotations

import sys
from typing import NoReturn

try:
    # It needs libffi, the one library that Python itself takes from the system.
    import ctypes  # noqa: F401
except ImportError as error:
    sys.exit(
        f"mattecam: Python cannot load libffi.so.8 ({error}); install it: libffi8 on Debian, "
        "libffi elsewhere.",
    )

from app.core.process import exit_on_signals
from app.system.isolation import INSTALLED, isolate


def main() -> NoReturn:
    """Run the command line and end the process, isolated where an environment of its own holds
    the packages.
    """
    if INSTALLED and (sys.flags.isolated or sys.prefix != sys.base_prefix):
        isolate([sys.executable, "-I", "-m", "mattecam", *sys.argv[1:]])
    exit_on_signals()
    from app.cli.main import run_to_exit

    run_to_exit()


if __name__ == "__main__":
    main()
