"""Compute MAD, MSE, Grad, Conn and dtSSD of predicted alpha sequences against true ones, as in the
RVM paper.

    python -m training.evaluate PRED TRUE

PRED, TRUE: a video, an image, or a folder of images or of clips, under the same names. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np

from app.core.errors import MattecamError, SourceOpenError, UsageError, counted
from app.core.files import is_of_kind
from app.media.container import VideoError
from app.media.image_file import IMAGE_SUFFIXES
from app.media.image_folder import pictures_in
from app.media.video_reader import VideoReader
from app.offline.files import VIDEOS, VIDEOS_AND_IMAGES
from training import metrics
from training.metrics import Alpha

MEASURES: dict[str, Callable[[Alpha, Alpha], float]] = {
    "mad": metrics.mad,
    "mse": metrics.mse,
    "grad": metrics.grad,
    "conn": metrics.conn,
}
OVERALL = "all"
"""Key of the result over all clips; a clip of this name is `./all`."""


def evaluate_paths(pred: Path, true: Path) -> dict[str, dict[str, float]]:
    """Return {clip: {mad, mse, grad, conn, dtssd}} of alpha sequences, with the means over all
    frames under "all".

    Each path is a video, an image, a folder of images, or a folder with several sequences, matched
    by name. dtssd is 0 for a single image. Raises UsageError if the two differ in clips, frames or
    size, or the frames of a sequence in size, and SourceOpenError if a file cannot be read.
    """
    predicted, expected = find_clips(pred), find_clips(true)
    if predicted.keys() != expected.keys():
        odd = sorted(predicted.keys() ^ expected.keys())
        single = pred if "" in predicted else true  # not in both
        clips = ", ".join(name or single.name for name in odd)
        raise UsageError(
            f"{pred} and {true} hold different clips ({clips}); name folders with the same ones."
        )
    results: dict[str, dict[str, float]] = {}
    pooled: dict[str, list[float]] = {name: [] for name in (*MEASURES, "dtssd")}
    for name, path in predicted.items():
        values = _measured(path, expected[name])
        key = name or true.stem
        results[f"./{key}" if key == OVERALL else key] = {
            measure: fmean(v) if v else 0.0 for measure, v in values.items()
        }
        for measure, v in values.items():
            pooled[measure].extend(v)
    results[OVERALL] = {measure: fmean(v) if v else 0.0 for measure, v in pooled.items()}
    return results


def _measured(pred: Path, true: Path) -> dict[str, list[float]]:
    """Return the metrics of each frame; dtssd starts with the second."""
    values: dict[str, list[float]] = {name: [] for name in (*MEASURES, "dtssd")}
    before: tuple[Alpha, Alpha] | None = None
    for predicted, expected in _pairs(pred, true):
        for name, measure in MEASURES.items():
            values[name].append(measure(predicted, expected))
        if before is not None:
            values["dtssd"].append(metrics.dtssd(predicted, before[0], expected, before[1]))
        before = predicted, expected
    if before is None:
        raise UsageError(f"{pred} and {true} hold no frames; name sequences with some.")
    return values


def _pairs(pred: Path, true: Path) -> Iterator[tuple[Alpha, Alpha]]:
    first: tuple[int, ...] = ()
    for index, (predicted, expected) in enumerate(
        zip_longest(read_alphas(pred), read_alphas(true))
    ):
        if predicted is None or expected is None:
            shorter = pred if predicted is None else true
            raise UsageError(
                f"{shorter} ends after {counted(index, 'frame')}, before its counterpart; name "
                "equally long sequences."
            )
        first = first or predicted.shape
        if predicted.shape != expected.shape:
            raise UsageError(
                f"Frame {index} of {pred} is {_size(predicted.shape)}, that of {true} is "
                f"{_size(expected.shape)}; name sequences of the same size."
            )
        if predicted.shape != first:  # dtssd compares neighbours
            raise UsageError(
                f"Frame {index} of {pred} is {_size(predicted.shape)}, the first is "
                f"{_size(first)}; all frames of a sequence must have one size."
            )
        yield predicted, expected


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"


def find_clips(path: Path) -> dict[str, Path]:
    """Return the alpha sequences at `path`, by name; that of a video has no suffix, unless another
    has that name.

    A video, an image, or a folder of images, is one sequence, named "". Other folders hold several
    sequences. Raises UsageError if there is none.
    """
    if path.is_file():
        if path.suffix.lower() not in VIDEOS_AND_IMAGES:
            raise UsageError(
                f"{path} is neither a video nor an image; name a video, an image or a folder of "
                "images."
            )
        return {"": path}
    if not path.is_dir():
        raise UsageError(f"{path} does not exist; name a video, an image or a folder of images.")
    if pictures_in(path):
        return {"": path}
    names = {
        entry: entry.name if entry.is_dir() else entry.stem
        for entry in sorted(path.iterdir())
        if (pictures_in(entry) if entry.is_dir() else is_of_kind(entry, VIDEOS))
    }
    count = Counter(names.values())
    clips = {name if count[name] == 1 else entry.name: entry for entry, name in names.items()}
    if not clips:
        raise UsageError(
            f"{path} holds no images, videos or folders of images; name a folder that does."
        )
    return clips


def read_alphas(path: Path) -> Iterator[Alpha]:
    """Yield the alphas of a video, an image, or a folder of images in natural order, float32 (H, W)
    in 0..1.

    Colours are converted to grey; of a cut-out image, alpha counts. Raises SourceOpenError if a
    file cannot be read.
    """
    if path.is_dir():
        return _read_images(pictures_in(path))
    return _read_images([path]) if path.suffix.lower() in IMAGE_SUFFIXES else _read_video(path)


def _read_images(paths: Sequence[Path]) -> Iterator[Alpha]:
    for path in paths:
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if image is None:
            raise SourceOpenError(f"The image {path} cannot be read; check it, or leave it out.")
        whole = {"uint8": 255, "uint16": 65535}.get(image.dtype.name, 1)
        values = np.asarray(image / whole, np.float32)
        if values.ndim == 3:
            colours, alpha = values[..., :3], values[..., 3:]
            is_cut_out = alpha.size and (alpha.min() < 1 or np.ptp(colours, axis=2).any())
            values = np.asarray(
                alpha[..., 0] if is_cut_out else cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY),
                np.float32,
            )
        yield values


def _read_video(path: Path) -> Iterator[Alpha]:
    try:
        reader = VideoReader(path)
        for _, image in reader.frames():
            yield image.mean(2, dtype=np.float32) / 255
    except VideoError as error:
        raise SourceOpenError(error.text) from error
    if reader.damaged:  # the frames that follow would be compared with others
        raise SourceOpenError(f"{path} is damaged; replace it.")


def main() -> None:
    """Print the metrics, or what is wrong with the files in one sentence."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pred", type=Path)
    parser.add_argument("true", type=Path)
    named = parser.parse_args()
    try:
        print(json.dumps(evaluate_paths(named.pred, named.true), indent=2))
    except MattecamError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
