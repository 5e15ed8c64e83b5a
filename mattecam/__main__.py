"""The command `mattecam`, also as `python -m mattecam`."""

from __future__ import annotations

from typing import NoReturn

from app.system.start import exit_on_signals


def main() -> NoReturn:
    """Run the command line and end the process."""
    exit_on_signals()
    from app.cli.main import run_to_exit

    run_to_exit()


if __name__ == "__main__":
    main()
