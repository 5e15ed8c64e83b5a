"""Make the picture beside *Quality* in the window: the gap beside an arm, standard on the left,
fine on the right.

python -m tools.quality_sample CLIP [--weights FILE]

CLIP is `asl_eat.mkv` of intel-iot-devkit/sample-videos (CC BY 4.0): a network that takes the wall
in the gap for a part of the person shows it in front of any background. --weights: of the finer
network, in a file.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import BgrImage
from app.gui.panels.quality import SAMPLE
from app.matting import build_engine
from app.matting.interface import StepRequest
from models.table import bundled, recommended

FRAME = 8
"""Number of the frame of the clip that is shown, from 0."""
BACKDROP_BGR = (90, 55, 20)
DETAIL = slice(320, 388), slice(165, 285)
"""Rows and columns of this frame that are shown."""
ENLARGED, JPEG_QUALITY = 3, 88


def detail(clip: Path, settings: MattingSettings) -> BgrImage:
    """Return the detail with the network of these settings: uint8 BGR."""
    film = cv2.VideoCapture(str(clip))
    width, height = (
        int(film.get(which)) for which in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    backdrop = np.full((height, width, 3), BACKDROP_BGR, np.uint8)
    with closing(build_engine(settings, width, height)) as engine:
        for number in range(FRAME + 1):
            found, frame = film.read()
            if not found:
                raise SystemExit(f"{clip} has no frame {number}.")
            composite = engine.step(
                StepRequest(np.asarray(frame, np.uint8), backdrop, EdgeSettings())
            ).composite
        return composite[DETAIL].copy()


def main(argv: Sequence[str] | None = None) -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path)
    parser.add_argument("--weights", type=Path)
    chosen = parser.parse_args(argv)
    both = (
        MattingSettings(model=bundled().name, executor="eager"),
        MattingSettings(model=recommended().name, executor="eager", weights=chosen.weights),
    )
    picture = np.hstack([detail(chosen.clip, settings) for settings in both])
    enlarged = cv2.resize(picture, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(SAMPLE), enlarged, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


if __name__ == "__main__":
    main()
