"""A program that reads a PipeWire camera and prints a line for each frame: its number and the mean of its bytes."""

from __future__ import annotations

import sys
from fractions import Fraction

from app.system.pipewire.stream import NodeReader


def main(target: str = "mattecam") -> None:
    reader = NodeReader(target, (64, 48), Fraction(30), name="other-program", follows=True)
    number = 0
    while not reader.lost:
        frame = reader.read(1.0)
        if frame is not None:
            number += 1
            sys.stdout.write(f"{number} {sum(frame.data[:64]) / 64:.0f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
