"""Plot the log of a run: `python -m training.report LOG... --out curves.png`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
import typer

Pixels = npt.NDArray[np.uint8]
Points = list[tuple[float, float]]

_WIDTH, _HEIGHT, _MARGIN = 860, 300, 56
_COLOURS = ((40, 110, 220), (220, 120, 40), (60, 160, 60), (150, 60, 160))
_INK = (60, 60, 60)


def main(
    logs: Annotated[list[Path], typer.Argument(help="The log.jsonl of each stretch, in order.")],
    out: Annotated[Path, typer.Option(help="The picture to write.")],
) -> None:
    """Plot training losses, validation error, and IoU with empty rooms, one panel each."""
    panels = [
        draw_panel(
            "training loss, by part",
            read(logs, "losses", ("l1", "laplacian", "entropy", "hints"), smooth=15),
        ),
        draw_panel("validation MAD, 1e-3", read(logs, "check", ("photo_mad", "clip_mad"))),
        draw_panel("validation IoU at 0.5", read(logs, "check", ("photo_iou", "clip_iou"))),
        draw_panel("mean alpha of empty rooms", read(logs, "check", ("empty",))),
    ]
    cv2.imwrite(str(out), np.vstack(panels)[..., ::-1])


def read(logs: list[Path], part: str, names: tuple[str, ...], smooth: int = 1) -> dict[str, Points]:
    """Return {name: [(minutes since the first stretch began, value)]}; values are means of the last
    `smooth`.

    Names that no log has are left out: which losses there are depends on the stretch.
    """
    curves: dict[str, Points] = {name: [] for name in names}
    before = 0.0
    for log in logs:
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        for line in lines:
            for name in names:
                if name in line.get(part, {}):
                    curves[name].append((before + line["minutes"], line[part][name]))
        before += lines[-1]["minutes"]
    return {name: _smoothed(points, smooth) for name, points in curves.items() if points}


def draw_panel(title: str, curves: dict[str, Points]) -> Pixels:
    """Return a chart, uint8 (300, 860, 3) RGB: values over minutes."""
    panel = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    every = [point for points in curves.values() for point in points]
    if not every:
        raise ValueError(f"The logs hold nothing to draw for “{title}”.")
    right = max(x for x, _ in every)
    values = np.array([y for _, y in every])
    low, high = float(values.min()) * 0.95, float(np.percentile(values, 98)) * 1.05

    def place(point: tuple[float, float]) -> tuple[int, int]:
        x = _MARGIN + point[0] / right * (_WIDTH - 2 * _MARGIN)
        y = _HEIGHT - 30 - (min(point[1], high) - low) / (high - low) * (_HEIGHT - 70)
        return round(x), round(y)

    for value in np.linspace(low, high, 5):
        left_end, right_end = place((0, float(value))), place((right, float(value)))
        cv2.line(panel, left_end, right_end, (225, 225, 225), 1)
        _write(panel, f"{value:.3g}", (4, left_end[1] + 4))
    for minute in np.linspace(0, right, 7):
        x = place((float(minute), low))[0]
        _write(panel, f"{minute:.0f} min", (x - 18, _HEIGHT - 10))
    _write(panel, title, (_MARGIN, 20))
    for index, (name, points) in enumerate(curves.items()):
        colour = _COLOURS[index]
        line = np.array([place(point) for point in points], np.int32)
        cv2.polylines(
            panel, [line], isClosed=False, color=colour, thickness=2, lineType=cv2.LINE_AA
        )
        _write(panel, name, (_WIDTH - 420 + 100 * index, 20), colour)
    return panel


def _smoothed(points: Points, count: int) -> Points:
    values = [y for _, y in points]
    return [
        (x, float(np.mean(values[max(0, i - count + 1) : i + 1])))
        for i, (x, _) in enumerate(points)
    ]


def _write(
    panel: Pixels, text: str, place: tuple[int, int], colour: tuple[int, int, int] = _INK
) -> None:
    cv2.putText(panel, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)


if __name__ == "__main__":
    typer.run(main)
