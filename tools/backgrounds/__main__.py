"""Paints the bundled backgrounds into app/assets/backgrounds: `python -m tools.backgrounds
[NAME...]`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from tools.backgrounds.paint import to_bytes
from tools.backgrounds.scenes import SCENES

FOLDER = Path(__file__).resolve().parents[2] / "app" / "assets" / "backgrounds"
MOST_BYTES = 350_000
GRAIN = 0.004


def main() -> None:
    """Paint those named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", metavar="NAME", nargs="*", default=list(SCENES), help=", ".join(SCENES)
    )
    for name in parser.parse_args().names:
        image = to_bytes(SCENES[name](), GRAIN, 1)
        for quality in range(93, 60, -1):
            _, data = cv2.imencode(
                ".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
            )
            if len(data) <= MOST_BYTES:
                break
        (FOLDER / f"{name}.jpg").write_bytes(data.tobytes())
        print(f"{name}: {len(data) // 1000} kB at quality {quality}")


if __name__ == "__main__":
    main()
