"""Make the pictures of `docs/features.md`: a frame of a camera on the left, and what others see of
it on the right.

    python -m tools.feature_pictures CLIPS ROOMS [--weights FILE]

CLIPS has films of intel-iot-devkit/sample-videos (CC BY 4.0), ROOMS has views of Poly Haven (CC0).
Frames are made of people cut out of the films in front of the rooms; `docs/licences.md` names both.
--weights: of the finer network.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from app.backgrounds import open_background
from app.capture.demo import DemoSource
from app.core.settings import EdgeSettings, EngineSettings
from app.core.types import AlphaImage, BgrImage, Frame
from app.matting import build_engine
from app.matting.interface import StepRequest
from app.media.image_file import read_image
from app.media.video_reader import VideoReader
from app.settings import Settings
from app.stream import Stream
from models.table import bundled, recommended
from tools.feature_shots import BOKEH, FRAMING, LIGHT, ZONE, ZONES

ROOT = Path(__file__).resolve().parents[1]
SIZE, VIEW = (960, 540), (480, 270)
SOURCE_FPS = 30
SEEN_FRAMES, SETTLED_FRAMES = 12, 100
"""Frames until the network has seen a still picture for long enough, and until auto-framing and
light rest.
"""
QUALITY, GAP_PX = 60, 8
ZONE_BGR = (70, 70, 230)
CLOSE_UP = slice(70, 340), slice(240, 720)
"""Rows and columns of the demo portrait that are shown of the light: the face."""
GAP_BESIDE_ARM = slice(160, 430), slice(80, 560)


class Studio:
    """Cuts people out of films, puts them into rooms, and runs the program on the frames."""

    def __init__(self, clips: Path, rooms: Path, weights: Path | None) -> None:
        self._clips, self._rooms = clips, rooms
        self.fine = EngineSettings(model=recommended().name, executor="eager", weights=weights)
        self.standard = EngineSettings(model=bundled().name, executor="eager")

    def frames(self, clip: str, count: int) -> list[BgrImage]:
        """Return the first frames of a film."""
        with closing(VideoReader(self._clips / f"{clip}.mkv").frames()) as frames:
            return [image for _, (_time_s, image) in zip(range(count), frames, strict=False)]

    def person(self, clip: str, number: int) -> tuple[BgrImage, AlphaImage]:
        """Return a person of a film over black, and its alpha."""
        frames = self.frames(clip, number + 1)
        height, width = frames[0].shape[:2]
        black = np.zeros((height, width, 3), np.uint8)
        with closing(build_engine(self.fine, width, height)) as engine:
            for frame in frames:
                matte = engine.step(StepRequest(frame, black, EdgeSettings()))
        return matte.composite.copy(), matte.alpha.copy()

    def room(self, name: str) -> BgrImage:
        """Return a view of a room in the size of the frames."""
        image = read_image(self._rooms / f"{name}.jpg")
        scale = SIZE[0] / image.shape[1]
        large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        top = (large.shape[0] - SIZE[1]) // 2
        return np.ascontiguousarray(large[top : top + SIZE[1]])

    def result(
        self, frames: Sequence[BgrImage], settings: Settings, engine: EngineSettings | None = None
    ) -> BgrImage:
        """Return what others see of the last of some frames."""
        stream, size = Stream(), (frames[0].shape[1], frames[0].shape[0])
        with ExitStack() as stack:
            stream.use(stack.enter_context(closing(build_engine(engine or self.fine, *size))))
            background = stack.enter_context(
                closing(open_background(settings.background, realtime=False))
            )
            for index, frame in enumerate(frames):
                now_s = index / SOURCE_FPS
                picture = stream.step(
                    Frame(frame, index, now_s), settings, background.backdrop(*size, now_s)
                )
        assert picture is not None
        return picture.image.copy()


def placed(
    room: BgrImage, person: tuple[BgrImage, AlphaImage], scale: float, centre_x: float
) -> BgrImage:
    """Return a room with a person at its lower border. scale: of the film; centre_x: in widths of
    the frame.
    """
    composite, alpha = person
    width, height = SIZE
    columns = np.flatnonzero(alpha.max(0) > 127)
    middle = float(columns[0] + columns[-1]) / 2
    move = np.array(
        [[scale, 0, centre_x * width - scale * middle], [0, scale, height - scale * alpha.shape[0]]]
    )
    shown = cv2.warpAffine(composite, move, SIZE).astype(np.float32)  # premultiplied: over black
    weight = cv2.warpAffine(alpha, move, SIZE)[..., None].astype(np.float32) / 255
    return np.asarray(np.clip(shown + room * (1 - weight), 0, 255), np.uint8)


def with_zone(frame: BgrImage) -> BgrImage:
    """Return a frame with the zone as the window marks it."""
    height, width = frame.shape[:2]
    outline = np.array([(round(x * width), round(y * height)) for x, y in ZONE.points], np.int32)
    marked = frame.copy()
    cv2.fillPoly(marked, [outline], ZONE_BGR)
    blended = cv2.addWeighted(frame, 0.55, marked, 0.45, 0)
    cv2.polylines(blended, [outline], True, ZONE_BGR, 3)
    return np.asarray(blended, np.uint8)


def with_lights(room: BgrImage) -> BgrImage:
    """Return a room in the evening, with strings of small lamps."""
    width, height = SIZE
    dark = np.asarray(room * 0.3, np.uint8)
    for string in range(3):
        for lamp in range(9):
            x = (lamp + 0.5 + 0.3 * string) / 9
            y = 0.12 + 0.2 * string + 0.1 * (1 - (2 * x - 1) ** 2)
            cv2.circle(
                dark, (round(x * width), round(y * height)), 13, (190, 235, 255), -1, cv2.LINE_AA
            )
    return dark


def save(path: Path, before: BgrImage, after: BgrImage) -> None:
    """Write two pictures side by side."""
    gap = np.full((VIEW[1], GAP_PX, 3), 255, np.uint8)
    left, right = (
        cv2.resize(image, VIEW, interpolation=cv2.INTER_AREA) for image in (before, after)
    )
    joined = cv2.cvtColor(np.hstack([left, gap, right]), cv2.COLOR_BGR2RGB)
    Image.fromarray(joined).save(path, quality=QUALITY, method=6)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


def make(studio: Studio, folder: Path) -> None:
    """Write all pictures."""
    plain = Settings()
    woman, man, guest = (
        studio.person("asl_school", 5),
        studio.person("asl_sister", 5),
        studio.person("asl_again", 5),
    )

    aside = placed(studio.room("ph_pm_apartment_4"), woman, 0.7, 0.24)
    save(
        folder / "feature-auto-framing.webp",
        aside,
        studio.result([aside] * SETTLED_FRAMES, FRAMING.settings(plain)),
    )

    visited = placed(studio.room("ph_pm_apartment_4"), guest, 0.72, 0.545)
    visited = placed(visited, man, 1.05, 0.2)
    seen = studio.result([visited] * SEEN_FRAMES, ZONES.settings(plain))
    save(folder / "feature-zones.webp", with_zone(visited), seen)

    evening_room = placed(with_lights(studio.room("ph_pm_apartment_4")), man, 1.05, 0.5)
    save(
        folder / "feature-bokeh.webp",
        evening_room,
        studio.result([evening_room] * SEEN_FRAMES, BOKEH.settings(plain)),
    )

    with closing(DemoSource(*SIZE, SOURCE_FPS, realtime=False)) as source:
        portrait = [source.render(index) for index in range(SETTLED_FRAMES // 2)]
    unlit = LIGHT.settings(plain).replaced_at(["light"], match=0.0, portrait=0.0)
    halves = [
        studio.result(portrait, settings)[CLOSE_UP] for settings in (unlit, LIGHT.settings(plain))
    ]
    save(folder / "feature-light.webp", *halves)

    moving = studio.frames("asl_eat", 9)
    evening = LIGHT.settings(plain).replaced_at(["strict"], level="balanced")
    save(
        folder / "feature-quality.webp",
        *(
            studio.result(moving, evening, engine)[GAP_BESIDE_ARM]
            for engine in (studio.standard, studio.fine)
        ),
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path)
    parser.add_argument("rooms", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "images")
    chosen = parser.parse_args(argv)
    chosen.output.mkdir(parents=True, exist_ok=True)
    make(Studio(chosen.clips, chosen.rooms, chosen.weights), chosen.output)


if __name__ == "__main__":
    main()
