"""Compare the bundled network with one that also sees the empty room, on people it was never
trained on.

Run from the root of the repository: `python -m training.compare_plates --help`. People of held-out
photos stand, with RVM's matte, in held-out rooms; the plate is exact, or shifted, turned, lit
differently and noisy. Cut-outs, with their exact alpha, move before a camera that does not, and the
plate is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
import torch
import typer

from models.mattecam.bundled import load, load_with_plate
from models.mattecam.network import MattecamNetwork, PlateNetwork
from training.compare_strangers import Scenes
from training.degrade import FLAWLESS, ToneRange, random_tone
from training.export import averaged_student
from training.held_out import SIZE, MovingScene, cutouts
from training.metrics import Alpha
from training.plates import plate_of
from training.rows import Row, agreement_row, mean_row
from training.torch_teacher import rvm_network

Pixels = npt.NDArray[np.uint8]
SMALL = (320, 180)
PASSES = 2
_NOISE = 2.0
_LEAST = 0.02
"""Share of the frame that somebody must cover."""


def main(
    pictures: Annotated[
        list[Path],
        typer.Option(help="Folder with index.tsv and the pictures it lists; repeatable."),
    ],
    weights: Annotated[Path, typer.Option(help="A checkpoint of RVM MobileNetV3.")],
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="A checkpoint of `python -m training.train --plate` in place of the bundled one."
        ),
    ] = None,
    every: Annotated[int, typer.Option(help="Take every Nth photo only.")] = 1,
) -> None:
    """Print MAD, failures, IoU and ghosts of each group of photos, and what is shown of empty
    rooms.
    """
    teacher = rvm_network(weights)
    scenes = Scenes(pictures, teacher, every)
    bundled = load()
    plated = averaged_student(checkpoint, PlateNetwork) if checkpoint else load_with_plate()
    ways: dict[str, Callable[[Pixels, Pixels, Pixels], Alpha]] = {
        "bundled": lambda frame, plate, off: matte(bundled, frame),
        "exact plate": lambda frame, plate, off: matte(plated, frame, plate),
        "plate that is off": lambda frame, plate, off: matte(plated, frame, off),
    }
    found: dict[str, dict[int, Alpha]] = {way: {} for way in ways}
    empty: dict[str, list[float]] = {way: [] for way in ways}
    for number, (photo, alpha) in enumerate(zip(scenes.photos, scenes.true, strict=True)):
        if alpha.mean() < _LEAST:
            continue
        rng = np.random.default_rng(number)
        plate = scenes.rooms[int(rng.integers(len(scenes.rooms)))].frame
        mixed = photo.frame * alpha[..., None] + plate * (1 - alpha[..., None])
        tone = random_tone(rng, ToneRange())
        frame, plate = noisy(tone(np.rint(mixed).astype(np.uint8)), rng), tone(plate)
        off, nobody = plate_of(plate, FLAWLESS, rng), noisy(plate, rng)
        for way, matte_of in ways.items():
            found[way][number] = matte_of(frame, plate, off)
            empty[way].append(100 * float((matte_of(nobody, plate, off) > 0.1).mean()))
    for way, alphas in found.items():
        for group, members in scenes.groups.items():
            shown = [i for i in members if i in alphas]
            row = agreement_row([alphas[i] for i in shown], [scenes.true[i] for i in shown])
            print(
                way,
                f"{group} ({len(shown)})",
                {name: round(value, 3) for name, value in row.items()},
            )
        print(way, "empty rooms: alpha > 0.1 %", round(fmean(empty[way]), 4))
    for held_out in (True, False):
        networks = {"bundled": bundled, "exact plate": plated}
        figures = [
            cutout_figures(networks, scene, number)
            for number, scene in enumerate(moving(pictures, held_out))
        ]
        print(f"cut-outs, {'held out' if held_out else 'of training'} ({len(figures)})")
        for way in networks:
            rows = [each[way] for each in figures]
            worse = sum(each[way]["mad"] > each["bundled"]["mad"] for each in figures)
            print(
                way,
                {name: round(value, 2) for name, value in mean_row(rows).items()},
                "worse in",
                worse,
            )


def moving(pictures: list[Path], held_out: bool) -> Iterator[MovingScene]:
    """Yield the cut-outs before a camera that does not move."""
    return cutouts(pictures, held_out=held_out, tripod=True)


def cutout_figures(
    networks: dict[str, MattecamNetwork], scene: MovingScene, seed: int
) -> dict[str, Row]:
    """Return of each network MAD, that of the first frame, and what is hidden of the person and
    shown of the room.
    """
    rng = np.random.default_rng(seed)
    frames, plate = [noisy(frame, rng) for frame in scene.frames], noisy(scene.room, rng)
    found: dict[str, Row] = {}
    for way, network in networks.items():
        seen = mattes(
            network,
            [(frame, plate) if isinstance(network, PlateNetwork) else (frame,) for frame in frames],
        )
        errors = [1e3 * (alpha - true) for alpha, true in zip(seen, scene.alphas, strict=True)]
        found[way] = {
            "mad": fmean(float(np.abs(error).mean()) for error in errors),
            "first": float(np.abs(errors[0]).mean()),
            "hidden": fmean(float(-error.clip(None, 0).mean()) for error in errors),
            "shown": fmean(float(error.clip(0).mean()) for error in errors),
        }
    return found


def matte(network: MattecamNetwork, *pictures: Pixels) -> Alpha:
    """Return the alpha (360, 640) of a still frame, and of its plate if the network takes one,
    after two passes.
    """
    return mattes(network, [pictures] * PASSES)[-1]


@torch.no_grad()
def mattes(network: MattecamNetwork, frames: Sequence[tuple[Pixels, ...]]) -> list[Alpha]:
    """Return the alphas (360, 640) of consecutive frames, each with its plate if the network takes
    one.
    """
    state: list[torch.Tensor] = []
    alphas: list[Alpha] = []
    for pictures in frames:
        small = [
            cv2.resize(picture, SMALL, interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
            for picture in pictures
        ]
        image = torch.from_numpy(np.concatenate(small)[None].astype(np.float32) / np.float32(255))
        found, *state = network.matte(image, *state)
        alphas.append(
            np.asarray(
                cv2.resize(found[0, 3].numpy(), SIZE, interpolation=cv2.INTER_LINEAR), np.float32
            )
        )
    return alphas


def noisy(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return the image with a sensor's noise."""
    return np.clip(image + rng.normal(0, _NOISE, image.shape), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    typer.run(main)
