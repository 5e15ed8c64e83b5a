"""Compare the bundled network with RVM on sources that were excluded from training.

Run from the root of the repository: `python -m training.compare_strangers --help`. Computes rows of
the model card: agreement with RVM at ratio 0.75, masks drawn by people, cut-outs with exact alpha
over held-out rooms, cuts, rooms.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
import typer

from app.matting.motion import Motion
from models.mattecam.bundled import load
from models.mattecam.network import MattecamNetwork
from models.rvm.network import MattingNetwork
from training import metrics
from training.disputed import with_either_answer
from training.export import averaged_student
from training.held_out import SIZE, MovingScene, StillScene, cutouts, masked_photos, photos, rooms
from training.metrics import Alpha
from training.network_stream import Network, NetworkStream
from training.rows import (
    Row,
    agreement_row,
    cutout_row,
    frames_until_settled,
    gaps_shown,
    holes,
    mask_row,
    mean_row,
    rim_error,
)
from training.torch_teacher import rvm_network
from training.view import shows_head_and_shoulders

Pixels = npt.NDArray[np.uint8]

FRAMES = 8
"""Number of passes over a photo from a fresh state; the last result counts."""
TRUTH_RATIO = 0.75
STUDENT_RATIO = 0.5
"""The bundled network works on 320x180 of a frame of 640x360."""


class Stream(NetworkStream):
    """A network as a stream of frames, with its foreground; a scene cut resets its state, as in the
    program.
    """

    def __init__(self, network: Network, ratio: float, size: tuple[int, int] = SIZE) -> None:
        super().__init__(network, ratio, size, foreground=True)
        self._cuts = Motion()

    def reset(self) -> None:
        """Reset the recurrent state."""
        super().reset()
        self._cuts.forget()

    def alpha(self, rgb: Pixels) -> Alpha:
        """Return the alpha (H, W) of the next frame, uint8 (H, W, 3) RGB."""
        if self._cuts.is_cut(rgb):
            super().reset()
        return super().alpha(rgb)

    def still(self, rgb: Pixels) -> Alpha:
        """Return the alpha of a photo shown several times to a fresh state."""
        self.reset()
        return [self.alpha(rgb) for _ in range(FRAMES)][-1]


def main(
    pictures: Annotated[
        list[Path],
        typer.Option(help="Folder with index.tsv and the pictures it lists; repeatable."),
    ],
    weights: Annotated[Path, typer.Option(help="A checkpoint of RVM MobileNetV3.")],
    student: Annotated[
        list[Path] | None, typer.Option(help="Weights or checkpoints to compare; repeatable.")
    ] = None,
    rvm: Annotated[bool, typer.Option(help="Also measure RVM at 0.25, 0.5 and 0.75.")] = True,
    sheet: Annotated[
        Path | None, typer.Option(help="Picture of the 24 worst photos of the first network.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File for the figures, JSON.")] = None,
) -> None:
    """Print one table of all figures, a column for each network."""
    teacher = rvm_network(weights)
    networks: dict[str, tuple[Network, float]] = {"bundled": (load(), STUDENT_RATIO)}
    for path in student or []:
        networks[path.stem if path.suffix == ".safetensors" else path.parent.name] = (
            _student(path),
            STUDENT_RATIO,
        )
    if rvm:
        networks |= {f"RVM {ratio}": (teacher, ratio) for ratio in (0.25, 0.5, 0.75)}
    scenes = Scenes(pictures, teacher)
    rows = {
        name: scenes.measure(Stream(network, ratio)) for name, (network, ratio) in networks.items()
    }
    print(_table(rows))
    if out is not None:
        out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    if sheet is not None:
        name = next(iter(networks)) if not student else list(networks)[len(student)]
        cv2.imwrite(str(sheet), scenes.worst(Stream(*networks[name]))[..., ::-1])


class Scenes:
    """All scenes and the reference alphas of photos."""

    def __init__(self, folders: list[Path], teacher: MattingNetwork, every: int = 1) -> None:
        """every: take every Nth scene of each kind only."""
        rough = Stream(teacher, 1.0, (256, 256))
        self.photos = photos(folders, lambda rgb: _rough_alpha(rough, rgb), every)
        truth = Stream(teacher, TRUTH_RATIO)
        self.true = [truth.still(scene.frame) for scene in self.photos]
        alone = [
            shows_head_and_shoulders(np.rint(alpha * 255).astype(np.uint8)) for alpha in self.true
        ]
        self.groups = {
            "shoulders": [i for i, is_one in enumerate(alone) if is_one],
            "varied": [i for i, is_one in enumerate(alone) if not is_one],
        }
        self.masked: list[StillScene] = masked_photos(folders)[::every]
        self.rooms = rooms(folders)[::every]
        self.moving: list[MovingScene] = list(cutouts(folders))[::every]

    def measure(self, stream: Stream) -> Row:
        """Return every figure of one network."""
        pred = [stream.still(scene.frame) for scene in self.photos]
        row: Row = {}
        for group, members in self.groups.items():
            ours, true = ([alphas[i] for i in members] for alphas in (pred, self.true))
            names = [self.photos[i].name for i in members]
            either = [with_either_answer(*answer) for answer in zip(names, ours, true, strict=True)]
            for kind, reference in (("", true), (" either answer", either)):
                figures = agreement_row(ours, reference)
                row |= {
                    f"{group} ({len(members)}){kind} {name}": value
                    for name, value in figures.items()
                }
        masks = [scene.mask for scene in self.masked if scene.mask is not None]
        masked = [stream.still(scene.frame) for scene in self.masked]
        row |= mask_row(masked, masks)
        row["gaps of photos %"] = gaps_shown(pred, self.true)
        drawn = [mask.astype(np.float32) for mask in masks]
        row["gaps of masks %"] = gaps_shown(masked, drawn)
        row["holes of photos %"], row["holes of masks %"] = (
            holes(pred, self.true),
            holes(masked, drawn),
        )
        moving = [self._moving(stream, scene) for scene in self.moving]
        row |= mean_row([figures for figures, _ in moving])
        exact = [alpha for scene in self.moving for alpha in scene.alphas]
        ours = [alpha for _, alphas in moving for alpha in alphas]
        row["gaps of cut-outs %"], row["holes of cut-outs %"] = (
            gaps_shown(ours, exact),
            holes(ours, exact),
        )
        row["frames after a cut"] = self._cuts(stream, pred)
        shares = [stream.still(scene.frame) > 0.1 for scene in self.rooms]
        row["rooms: alpha > 0.1 %"] = 100 * fmean(float(share.mean()) for share in shares)
        return row

    def _moving(self, stream: Stream, scene: MovingScene) -> tuple[Row, list[Alpha]]:
        stream.reset()
        results = [stream.step(frame) for frame in scene.frames]
        rims = [
            rim_error(*result, *true)
            for result, true in zip(
                results, zip(scene.foregrounds, scene.alphas, strict=True), strict=True
            )
        ]
        alphas = [alpha for _, alpha in results]
        return {**cutout_row(alphas, scene.alphas), "rim error": fmean(rims)}, alphas

    def _cuts(self, stream: Stream, pred: list[Alpha]) -> float:
        """Return the mean number of frames until a stream has settled after a cut from one photo to
        the next.
        """
        counts = []
        for before, after in zip(
            range(0, len(self.photos) - 1, 2), range(1, len(self.photos), 2), strict=True
        ):
            stream.still(self.photos[before].frame)
            errors = [
                metrics.mad(stream.alpha(self.photos[after].frame), self.true[after])
                for _ in range(FRAMES)
            ]
            counts.append(frames_until_settled(errors, metrics.mad(pred[after], self.true[after])))
        return fmean(counts)

    def worst(self, stream: Stream) -> Pixels:
        """Return the 24 photos with the largest error: frame, truth, alpha and composite on green."""
        strips = []
        for scene, true in zip(self.photos, self.true, strict=True):
            alpha = stream.still(scene.frame)
            cut = scene.frame * alpha[..., None] + np.array([40, 200, 60]) * (1 - alpha[..., None])
            greys = [np.repeat(np.rint(a * 255)[..., None], 3, 2) for a in (true, alpha)]
            strip = np.hstack([scene.frame, *greys, cut]).astype(np.uint8)
            small = cv2.resize(strip, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
            strips.append((metrics.mad(alpha, true), np.asarray(small, np.uint8)))
        strips.sort(key=lambda strip: -strip[0])
        columns = [
            np.vstack([image for _, image in strips[first : first + 12]]) for first in (0, 12)
        ]
        return np.hstack(columns)


def _rough_alpha(stream: Stream, rgb: Pixels) -> Pixels:
    square = np.asarray(cv2.resize(rgb, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)
    alpha = np.rint(stream.still(square) * 255).astype(np.uint8)
    return np.asarray(
        cv2.resize(alpha, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8
    )


def _student(path: Path) -> MattecamNetwork:
    return load(path) if path.suffix == ".safetensors" else averaged_student(path)


def _table(rows: dict[str, Row]) -> str:
    names = list(rows)
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    figures = next(iter(rows.values()))
    lines += [
        f"| {figure} | " + " | ".join(f"{rows[name][figure]:.4g}" for name in names) + " |"
        for figure in figures
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(main)
