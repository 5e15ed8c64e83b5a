"""Render the animation of the README: the demo source before and after matting, with a moving
divider.

    python -m tools.demo_animation                     writes docs/images/demo.webp
    python -m tools.demo_animation --model MODEL -o FILE

The engine is the one that the program would select on this machine. Only the built-in demo source
is shown.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from app.backgrounds import open_background
from app.capture.demo import DemoSource
from app.core.paths import assets_dir
from app.core.settings import BackgroundSettings, EdgeSettings, MattingSettings
from app.core.types import BgrImage
from app.matting import build_engine
from app.matting.interface import MattingEngine, StepRequest

ROOT = Path(__file__).resolve().parent.parent
FRAME_SIZE, VIEW_SIZE = (1280, 720), (640, 360)
SOURCE_FPS, FPS, SECONDS_PER_BACKGROUND = 30, 10, 2.6
QUALITY = 62
MAX_BYTES = 2_000_000
WARM_UP_FRAMES = 20
DIVIDER_PX = 2
MARGIN = 0.04
"""The divider turns at this distance from the edges, as a fraction of the width."""


def backgrounds() -> list[BackgroundSettings]:
    """Return two bundled images with a blurred background between them."""
    images = sorted((assets_dir() / "backgrounds").glob("*.jpg"))
    still = [BackgroundSettings(kind="image", path=path) for path in (images[4], images[6])]
    return [still[0], BackgroundSettings(kind="blur"), still[1]]


def divider(phase: float) -> float:
    """Return the divider's position as a fraction of the width: right edge at phase 0 and 1, left
    edge at 0.5.
    """
    return MARGIN + (1 - 2 * MARGIN) * (0.5 + 0.5 * math.cos(2 * math.pi * phase))


def join(before: BgrImage, after: BgrImage, position: float) -> BgrImage:
    """Return `before` left of `position` (fraction of the width) and `after` right of it, with a
    white line between.
    """
    column = round(position * before.shape[1])
    joined = after.copy()
    joined[:, :column] = before[:, :column]
    joined[:, column - DIVIDER_PX // 2 : column + DIVIDER_PX // 2] = 255
    return joined


def frames(engine: MattingEngine) -> Iterator[BgrImage]:
    """Yield the frames of the animation: (360, 640, 3) uint8 BGR."""
    source = DemoSource(*FRAME_SIZE, SOURCE_FPS, realtime=False)
    count, stride = round(SECONDS_PER_BACKGROUND * FPS), SOURCE_FPS // FPS
    index = 0
    for chosen in backgrounds():
        with closing(open_background(chosen, realtime=False)) as background:
            for step in range(-WARM_UP_FRAMES if index == 0 else 0, count * stride):
                frame = source.render(index)
                index += 1
                backdrop = background.backdrop(*FRAME_SIZE, index / SOURCE_FPS)
                composite = engine.step(StepRequest(frame, backdrop, EdgeSettings())).composite
                if step >= 0 and step % stride == 0:
                    yield join(small(frame), small(composite), divider(step / stride / count))


def small(image: BgrImage) -> BgrImage:
    """Return `image` at the size of the animation."""
    return np.asarray(cv2.resize(image, VIEW_SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the animation; exit code 1 if it is larger than MAX_BYTES."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="auto")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "images" / "demo.webp")
    options = parser.parse_args(argv)
    settings = MattingSettings(model=options.model)
    with closing(build_engine(settings, *FRAME_SIZE)) as engine:
        print(engine.info)
        images = [
            Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)) for frame in frames(engine)
        ]
    images[0].save(
        options.output,
        save_all=True,
        append_images=images[1:],
        duration=round(1000 / FPS),
        loop=0,
        quality=QUALITY,
        method=6,
    )
    size = options.output.stat().st_size
    print(f"{options.output}: {len(images)} frames, {size / 1e6:.2f} MB")
    return int(size > MAX_BYTES)


if __name__ == "__main__":
    raise SystemExit(main())
