"""Make the picture beside *Quality* in the window: hair of the demo portrait, standard on the left, fine on the right.

python -m tools.quality_sample                     writes app/assets/quality.jpg
python -m tools.quality_sample --weights FILE      with the weights of the finer network in a file
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from app.capture.demo import DemoSource
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import BgrImage
from app.gui.panels.models import SAMPLE
from app.matting import build_engine
from models.table import bundled, recommended

FRAME_SIZE, FRAMES = (1280, 720), 20
BACKDROP_BGR = (90, 55, 20)
DETAIL = slice(96, 164), slice(436, 556)
"""Rows and columns of the last frame that are shown."""
ENLARGED, JPEG_QUALITY = 3, 88


def detail(settings: MattingSettings) -> BgrImage:
    """Return the detail with the network of these settings: uint8 BGR."""
    source = DemoSource(*FRAME_SIZE, realtime=False)
    backdrop = np.full((*FRAME_SIZE[::-1], 3), BACKDROP_BGR, np.uint8)
    with closing(build_engine(settings, *FRAME_SIZE)) as engine:
        for index in range(FRAMES):
            composite = engine.step(source.render(index), backdrop, EdgeSettings()).composite
        return composite[DETAIL].copy()


def main(argv: Sequence[str] | None = None) -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path)
    weights = parser.parse_args(argv).weights
    both = [MattingSettings(model=bundled().name), MattingSettings(model=recommended().name, weights=weights)]
    picture = np.hstack([detail(settings) for settings in both])
    enlarged = cv2.resize(picture, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(SAMPLE), enlarged, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


if __name__ == "__main__":
    main()
