"""Compare the bundled network with RVM at low ratios and with OpenCV's methods, on people it was
never trained on.

Run from the repository's root: `python -m training.compare_methods --help`. The reference is RVM at
ratio 1.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from statistics import fmean, median
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
import typer

from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import BlurredBackground
from app.matting import build_engine
from app.matting.interface import StepRequest, auto_ratio
from models.mattecam.bundled import load
from models.table import bundled
from training import metrics
from training.baselines import GrabCut, Mog2
from training.export import averaged_student
from training.matte import overlap
from training.metrics import Alpha
from training.network_stream import NetworkStream
from training.store import default_cache
from training.torch_teacher import rvm_network
from training.validation import SIZE, WARM_UP_FRAMES, Matter, Scene, alphas, scenes

Pixels = npt.NDArray[np.uint8]
Row = dict[str, float]

_KINDS = ("shoulders", "other people", "clip")
_NOBODY = 0.01
_STILL = 0.02
"""Largest change of the reference alpha between frames in a static area."""
_RATIO = auto_ratio(*SIZE, bundled().short_side)
"""Small frame of the bundled network in the program."""
_STUDENT = "student at 320x180"


class EngineMatter:
    """A model as the program runs it on this machine, in the automatic precision."""

    def __init__(self, model: str, ratio: float) -> None:
        self._engine = build_engine(
            MattingSettings(model=model, device="cpu", downsample_ratio=ratio), *SIZE
        )

    def reset(self) -> None:
        """Reset the recurrent state."""
        self._engine.reset()

    def alpha(self, rgb: Pixels) -> Alpha:
        """See `Matter`."""
        frame = np.ascontiguousarray(rgb[..., ::-1])
        alpha = self._engine.step(
            StepRequest(frame, BlurredBackground(50), EdgeSettings(), "off")
        ).alpha
        return np.asarray(alpha, np.float32) / np.float32(255)


def main(
    clips: Annotated[Path, typer.Option(help="Folder with the clips.")],
    weights: Annotated[Path, typer.Option(help="The teacher: a checkpoint of RVM MobileNetV3.")],
    cache: Annotated[
        Path | None, typer.Option(help="Folder that `python -m training.cache` filled.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="A trainer's checkpoint in place of the bundled one.")
    ] = None,
    photos: Annotated[int, typer.Option(help="How many validation photos to use.")] = 240,
    baselines: Annotated[
        bool, typer.Option(help="Also measure RVM at low ratios, GrabCut and MOG2.")
    ] = True,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder for pictures of the student's results.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File for the figures, JSON.")] = None,
) -> None:
    """Print a table over all methods: MAD, IoU and dtSSD per kind of scene, empty rooms,
    milliseconds.
    """
    data = scenes(cache or default_cache(), clips, weights, photos)
    student = averaged_student(checkpoint) if checkpoint else load()
    rvm = rvm_network(weights)
    competitors: dict[str, Matter] = {_STUDENT: NetworkStream(student, _RATIO, SIZE)}
    if baselines:
        competitors["student, all in bfloat16"] = NetworkStream(student, _RATIO, SIZE, "bf16")
        competitors["bundled student, as the program runs it"] = EngineMatter("mattecam", _RATIO)
        competitors["RVM at 320x180"] = NetworkStream(rvm, _RATIO, SIZE)
        competitors["RVM at 256x144"] = NetworkStream(rvm, 0.5, SIZE)
        competitors["RVM at 160x90"] = NetworkStream(rvm, 0.3125, SIZE)
        competitors["RVM at 96x54"] = NetworkStream(rvm, 0.1875, SIZE)
        competitors["GrabCut from a box"] = GrabCut()
        competitors["MOG2"] = Mog2()
    rows = {}
    for name, matter in competitors.items():
        results = {scene.name: alphas(matter, scene) for scene in data}
        rows[name] = {**_figures(data, results), "ms": _milliseconds(matter, data[0].frames[0])}
        if pictures and name == _STUDENT:
            _draw(pictures, data, results)
    print(_table(rows))
    if out:
        out.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _figures(data: list[Scene], results: dict[str, list[Alpha]]) -> Row:
    row: Row = {}
    everything: list[float] = []
    for kind in _KINDS:
        pairs = [(scene, results[scene.name]) for scene in data if scene.kind == kind]
        mads = [
            fmean(metrics.mad(p, t) for p, t in zip(pred, s.true, strict=True)) for s, pred in pairs
        ]
        ious = [
            fmean(overlap(p > 0.5, t > 0.5) for p, t in zip(pred, s.true, strict=True))
            for s, pred in pairs
        ]
        everything.extend(mads)
        if mads:
            row |= {
                f"{kind} mad": fmean(mads),
                f"{kind} median": median(mads),
                f"{kind} iou": fmean(ious),
            }
    row["all mad"] = fmean(everything)
    clips = [scene for scene in data if scene.kind == "clip"]
    row["clip dtssd"] = fmean(_flicker(results[s.name], s.true) for s in clips)
    row["clip corner dtssd"] = fmean(
        _flicker(_corner(results[s.name]), _corner(s.true)) for s in clips
    )
    row["clip still corner dtssd"] = fmean(
        _still_corner_flicker(results[s.name], s.true) for s in clips
    )
    row["clip still dtssd"] = fmean(_still_flicker(results[s.name], s.true) for s in clips)
    rooms = [scene for scene in data if scene.kind == "room"]
    row["room alpha"] = fmean(float(results[s.name][0].mean()) for s in rooms)
    return row


def _flicker(pred: list[Alpha], true: list[Alpha]) -> float:
    return fmean(
        metrics.dtssd(pred[t], pred[t - 1], true[t], true[t - 1]) for t in range(1, len(true))
    )


def _still_flicker(pred: list[Alpha], true: list[Alpha]) -> float:
    """Return dtSSD of pixels that never show a person."""
    empty = np.max(true, axis=0) < _NOBODY
    return _flicker([alpha[empty] for alpha in pred], [alpha[empty] for alpha in true])


def _still_corner_flicker(pred: list[Alpha], true: list[Alpha]) -> float:
    """Return dtSSD of static pixels in the lower left quarter, person or background."""
    corner = _corner(true)
    still = np.abs(np.diff(np.stack(corner), axis=0)).max(0) < _STILL
    return _flicker([alpha[still] for alpha in _corner(pred)], [alpha[still] for alpha in corner])


def _corner(sequence: list[Alpha]) -> list[Alpha]:
    """Return the lower left quarter."""
    return [alpha[alpha.shape[0] // 2 :, : alpha.shape[1] // 2] for alpha in sequence]


def _milliseconds(matter: Matter, frame: Pixels) -> float:
    times = []
    for _ in range(12):
        begun = time.perf_counter()
        matter.alpha(frame)
        times.append((time.perf_counter() - begun) * 1e3)
    return median(times[2:])


def _table(rows: dict[str, Row]) -> str:
    columns = list(next(iter(rows.values())))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(f"{row[c]:.4g}" for c in columns) + " |"
        for name, row in rows.items()
    ]
    return "\n".join(lines)


def _draw(folder: Path, data: list[Scene], results: dict[str, list[Alpha]]) -> None:
    """Write one JPEG per kind: frame, reference alpha, student's alpha, and composite on green;
    largest error first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for kind in (*_KINDS, "room"):
        strips = []
        for scene in (s for s in data if s.kind == kind):
            frames = scene.frames if scene.still else scene.frames[WARM_UP_FRAMES:]
            for index in range(1) if scene.still else range(0, len(frames), 15):
                pred, true = results[scene.name][index], scene.true[index]
                strips.append((metrics.mad(pred, true), _strip(frames[index], true, pred)))
        strips.sort(key=lambda strip: -strip[0])
        if strips:
            sheet = np.vstack([image for _, image in strips[:24]])
            cv2.imwrite(str(folder / f"{kind.replace(' ', '_')}.jpg"), sheet[..., ::-1])


def _strip(frame: Pixels, true: Alpha, pred: Alpha) -> Pixels:
    alpha = pred[..., None]
    cut = frame * alpha + np.array([40, 200, 60]) * (1 - alpha)
    greys = [np.repeat(np.rint(a * 255)[..., None], 3, 2) for a in (true, pred)]
    strip = np.hstack([frame, *greys, cut]).astype(np.uint8)
    return np.asarray(
        cv2.resize(strip, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
    )


if __name__ == "__main__":
    typer.run(main)
