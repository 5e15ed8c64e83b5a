"""Record features before and after: the same frames without and with the feature, side by side.

    python -m tools.make_feature_clips                              the demo person, written to docs/images
    python -m tools.make_feature_clips --source CLIP -o FOLDER      the people in a video, written to FOLDER

The sequences are animated WebP files. Those of the demo person show it walking through a painted room. Frames depend on
the source alone, not on the speed of the machine.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from app.backgrounds import open_background
from app.capture.demo import DemoSource
from app.core.paths import assets_dir
from app.core.settings import EdgeSettings, EngineSettings, Settings
from app.core.types import BgrImage, Frame
from app.matting import build_engine
from app.matting.base.interface import MattingEngine
from app.media.image_file import read_image
from app.media.video_reader import VideoReader
from app.stream import Stream
from tools.feature_shots import FEATURES, Feature

ROOT = Path(__file__).resolve().parent.parent
ROOM = assets_dir() / "backgrounds" / "5-bookshelf.jpg"
NAMES = ("auto-framing", "light")
SIZE, VIEW = (960, 540), (400, 225)
SOURCE_FPS, FPS, SECONDS, WARM_UP_S = 30, 10, 4.0, 1.0
QUALITY, GAP_PX = 50, 8
PERSON_SCALE, SMALL_SCALE, WALK, WALK_S, CROSSES_AT_S = 0.6, 0.38, 0.2, 4.0, 2.2
"""Sizes of the person, how far it walks to each side in widths of the frame, the time of one turn, and when it crosses
the room."""


def walk(count: int, *, crosses: bool) -> Iterator[BgrImage]:
    """Yield frames of the demo person, cut out by the bundled network and moved through a painted room.

    crosses: the person is small, stands on one side and walks to the other once; otherwise it sways.
    """
    person = SMALL_SCALE if crosses else PERSON_SCALE
    room = cv2.resize(read_image(ROOM), SIZE, interpolation=cv2.INTER_AREA)
    width, height = SIZE
    black = np.zeros((height, width, 3), np.uint8)
    with closing(DemoSource(*SIZE, SOURCE_FPS, realtime=False)) as source, closing(_engine()) as engine:
        for index in range(count):
            matte = engine.step(source.render(index), black, EdgeSettings(strict="off"))
            now_s = index / SOURCE_FPS
            turn = math.sin(2 * math.pi * now_s / WALK_S)
            if crosses:
                turn = math.cos(math.pi * min(max(now_s - CROSSES_AT_S, 0.0), 1.0))
            x = width * ((1 - person) / 2 + WALK * turn)
            move = np.array([[person, 0, x], [0, person, height * (1 - person)]])
            shown = cv2.warpAffine(matte.composite, move, SIZE).astype(np.float32)  # premultiplied: over black
            alpha = cv2.warpAffine(matte.alpha, move, SIZE)[..., None].astype(np.float32) / 255
            yield np.asarray(np.clip(shown + room * (1 - alpha), 0, 255), np.uint8)


def clip(path: Path, count: int) -> Iterator[BgrImage]:
    """Yield frames of a video, cropped to the size of the sequences."""
    with closing(VideoReader(path).frames()) as frames:
        for _, (_time_s, image) in zip(range(count), frames, strict=False):
            scale = max(SIZE[0] / image.shape[1], SIZE[1] / image.shape[0])
            large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            top, left = (large.shape[0] - SIZE[1]) // 2, (large.shape[1] - SIZE[0]) // 2
            yield np.ascontiguousarray(large[top : top + SIZE[1], left : left + SIZE[0]])


def composites(frames: Sequence[BgrImage], settings: Settings) -> Iterator[BgrImage]:
    """Yield the program's composites of the frames."""
    stream = Stream()
    with ExitStack() as stack:
        stream.use(stack.enter_context(closing(_engine())))
        background = stack.enter_context(closing(open_background(settings.background, realtime=False)))
        for index, frame in enumerate(frames):
            now_s = index / SOURCE_FPS
            picture = stream.step(Frame(frame, index, now_s), settings, background.backdrop(*SIZE, now_s))
            assert picture is not None
            yield picture.image


def without(feature: Feature) -> Settings:
    """Return the settings before the feature is switched on: those of its sequence without what it changes."""
    settings = feature.settings(Settings())
    plain = Settings()
    return plain.replace(background=settings.background.replace(bokeh=False))


def record(feature: Feature, frames: Sequence[BgrImage], path: Path) -> None:
    """Write the sequence of a feature."""
    after = feature.settings(Settings())
    pairs = zip(composites(frames, without(feature)), composites(frames, after), strict=True)
    first = round(WARM_UP_S * SOURCE_FPS)
    images = [_joined(*pair) for index, pair in enumerate(pairs) if index >= first and index % (SOURCE_FPS // FPS) == 0]
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=1000 // FPS, loop=0, quality=QUALITY, method=6
    )
    print(f"{path}: {len(images)} frames, {path.stat().st_size / 1e3:.0f} kB")


def main(argv: Sequence[str] | None = None) -> int:
    """Write the sequences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, help="a video in place of the demo person")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--only", choices=NAMES, action="append", help="in place of all")
    options = parser.parse_args(argv)
    options.output.mkdir(parents=True, exist_ok=True)
    count = round((WARM_UP_S + SECONDS) * SOURCE_FPS)
    for feature in FEATURES:
        if feature.name in (options.only or NAMES):
            crosses = feature.name == "auto-framing"
            source = walk(count, crosses=crosses) if options.source is None else clip(options.source, count)
            record(feature, list(source), options.output / f"sequence-{feature.name}.webp")
    return 0


def _engine() -> MattingEngine:
    return build_engine(EngineSettings(model="mattecam"), *SIZE)


def _joined(before: BgrImage, after: BgrImage) -> Image.Image:
    gap = np.full((VIEW[1], GAP_PX, 3), 255, np.uint8)
    left, right = (cv2.resize(image, VIEW, interpolation=cv2.INTER_AREA) for image in (before, after))
    return Image.fromarray(cv2.cvtColor(np.hstack([left, gap, right]), cv2.COLOR_BGR2RGB))


if __name__ == "__main__":
    raise SystemExit(main())
