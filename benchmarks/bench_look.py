"""Measure the light controls: colour error and flicker on composites whose true light is known, and milliseconds.

Run from the repository's root: `python -m benchmarks.bench_look PHOTOS CLIPS`. A photo's person and surroundings have
the same light. The surroundings are put behind the person under a known other light, and the truth is the person under
that light.
"""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import AlphaImage, BgrImage, Matte
from app.matting import build_engine
from app.matting.base.interface import MattingEngine
from app.media.video_reader import VideoReader

SIZE = (1280, 720)
BACKGROUNDS = Path(__file__).parents[1] / "app/assets/backgrounds"
LIGHTS = {
    "neutral": (1.0, 1.0, 1.0),
    "warm": (0.75, 0.95, 1.2),
    "cold": (1.2, 1.0, 0.8),
    "dim": (0.5, 0.5, 0.5),
    "dim and warm": (0.4, 0.5, 0.65),
    "bright": (1.6, 1.6, 1.6),
}
"""Illuminations: gains of linear light, BGR."""
GAMMA = 2.2
STRENGTHS = (0, 50, 100)
STEPS = 3
"""The same photo is matted this many times, as a still camera would show it."""
PHOTO_SIZE = (480, 480)
OFF, FULL = EdgeSettings(strict="off"), EdgeSettings(strict="off", light_match=100)


def lit(image: BgrImage, gains: tuple[float, float, float]) -> BgrImage:
    """Return an image under an illumination with these gains of linear light."""
    result: BgrImage = np.clip(image * np.power(gains, 1 / GAMMA) + 0.5, 0, 255).astype(np.uint8)
    return result


def colour_error(found: BgrImage, true: BgrImage, person: NDArray[np.bool_]) -> float:
    """Return the mean distance in CIE Lab over the person."""
    one, other = (cv2.cvtColor(image / np.float32(255), cv2.COLOR_BGR2LAB) for image in (found, true))
    return float(np.linalg.norm(np.asarray(one) - np.asarray(other), axis=2)[person].mean())


def read(clip: Path, count: int) -> list[BgrImage]:
    """Return the first frames of a clip at the size of the measurement."""
    images = itertools.islice((image for _, image in VideoReader(clip).frames()), count)
    return [np.asarray(cv2.resize(image, SIZE), np.uint8) for image in images]


def surroundings(photo: BgrImage, alpha: AlphaImage) -> BgrImage:
    """Return the photo with the person covered by the mean colour of the rest."""
    room = alpha < 12
    return np.where(room[..., None], photo, photo[room].mean(axis=0).astype(np.uint8))


def errors(engine: MattingEngine, photo: BgrImage, light: tuple[float, float, float]) -> tuple[float, ...] | None:
    """Return the colour errors at each strength; None for a photo without both a person and surroundings."""
    first = _last_of(engine, photo, photo, OFF)
    assert first.foreground is not None
    person = first.alpha > 200
    if person.mean() < 0.1 or (first.alpha < 12).mean() < 0.15:
        return None
    true, backdrop = lit(first.foreground, light), lit(surroundings(photo, first.alpha), light)
    found = [_last_of(engine, photo, backdrop, OFF.replace(light_match=strength)) for strength in STRENGTHS]
    return tuple(colour_error(matte.foreground, true, person) for matte in found if matte.foreground is not None)


def _last_of(engine: MattingEngine, photo: BgrImage, backdrop: BgrImage, edges: EdgeSettings) -> Matte:
    engine.reset()
    for _ in range(STEPS):
        matte = engine.step(photo, backdrop, edges, want_foreground=True)
    return matte


def flicker(engine: MattingEngine, frames: list[BgrImage]) -> tuple[float, float]:
    """Return the mean change between frames of the person's mean colour, of 255, without and with light match."""
    backdrop = _background(7)
    changes = []
    for edges in (OFF, FULL):
        engine.reset()
        means = []
        for frame in frames:
            matte = engine.step(frame, backdrop, edges, want_foreground=True)
            assert matte.foreground is not None
            means.append(matte.foreground[matte.alpha > 200].mean(axis=0))
        changes.append(float(np.abs(np.diff(means[5:], axis=0)).mean()))
    return changes[0], changes[1]


def milliseconds(engine: MattingEngine, frames: list[BgrImage]) -> dict[str, float]:
    """Return the CPU time that each control adds to a step; off and on alternate, frame by frame."""
    backdrop = _background(0)
    cases = {
        "off": OFF,
        "match": FULL,
        "wrap": EdgeSettings(strict="off", light_wrap=100),
        "portrait": EdgeSettings(strict="off", portrait_light=100),
        "all": EdgeSettings(strict="off", light_match=100, light_wrap=100, portrait_light=100),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(30):
        for name, edges in cases.items():
            started = time.process_time()
            engine.step(frames[turn % len(frames)], backdrop, edges)
            times[name].append((time.process_time() - started) * 1000)
    base = times.pop("off")
    return {name: median(np.subtract(values, base)) for name, values in times.items()}


def _background(number: int) -> BgrImage:
    image = np.asarray(cv2.imread(str(sorted(BACKGROUNDS.glob("*.jpg"))[number])), np.uint8)
    return np.asarray(cv2.resize(image, SIZE), np.uint8)


def main(
    photos: Annotated[Path, typer.Argument(help="Folder with photos of people in their surroundings.")],
    clips: Annotated[Path, typer.Argument(help="Folder with clips of people.")],
    most: Annotated[int, typer.Option(help="How many photos to use.")] = 100,
    count: Annotated[int, typer.Option(help="Frames per clip.")] = 40,
) -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    files = sorted(photos.glob("*.jpg"))
    random.Random(1).shuffle(files)
    portraits = [_square(file) for file in files[-most:]]
    engine = build_engine(MattingSettings(model="student", device="cpu"), *PHOTO_SIZE)
    for name, gains in LIGHTS.items():
        rows = [row for photo in portraits if (row := errors(engine, photo, gains)) is not None]
        means = ", ".join(f"{value:.1f}" for value in np.mean(rows, axis=0))
        print(f"{name:14} colour error {means} at light match {STRENGTHS}, {len(rows)} photos")
    people = [read(clip, count) for clip in sorted(clips.glob("*.mkv"))[:3]]
    still, matched = np.mean([flicker(engine, frames) for frames in people], axis=0)
    print(f"change of the mean colour between frames: {still:.3f} without, {matched:.3f} with light match")
    costs = milliseconds(engine, people[0]).items()
    print("CPU ms per frame:", {name: round(float(value), 2) for name, value in costs})
    engine.close()


def _square(file: Path) -> BgrImage:
    image = np.asarray(cv2.imread(str(file)), np.uint8)
    side = min(image.shape[:2])
    return np.asarray(cv2.resize(image[:side, :side], PHOTO_SIZE), np.uint8)


if __name__ == "__main__":
    typer.run(main)
