"""A program that reads the PipeWire camera and prints a line for each frame: the mean of its bytes."""

from __future__ import annotations

import sys
from fractions import Fraction

from app.system.pipewire.stream import NodeReader


def main() -> None:
    reader = NodeReader("mattecam", (64, 48), Fraction(30), name="other-program", follows=True)
    while not reader.lost:
        frame = reader.read(1.0)
        if frame is not None:
            sys.stdout.write(f"{sum(frame.data[:64]) / 64:.0f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
