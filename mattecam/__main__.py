"""The command `mattecam`, also as `python -m mattecam`."""

from __future__ import annotations

from app.cli.main import run_to_exit

if __name__ == "__main__":
    run_to_exit()
