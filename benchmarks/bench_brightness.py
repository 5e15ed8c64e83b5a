"""Measures the brightness of the person on portraits that are darkened or backlit, with the noise
of a camera.

    python -m benchmarks.bench_brightness [--data FOLDER] [--portraits N] [--sheet FILE]

For each kind and EV: error of the mean luminance of head and shoulders against the original, in EV,
before and after; the palest result above the original; clipped pixels of the person. With --sheet,
a picture of the first ten.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.types import AlphaImage, BgrImage
from mattecam import Matting

DATA = Path(__file__).resolve().parents[2] / "shared" / "train-clean" / "portraits"
GAMMA = 2.2
LUMINANCE = np.array([0.0722, 0.7152, 0.2126])
BEHIND = "#404048"
Linear = NDArray[np.float64]


def variants(
    image: BgrImage, alpha: AlphaImage, rng: np.random.Generator
) -> Iterator[tuple[str, int, BgrImage]]:
    """Yield (kind, EV, image): as it is, darkened, and with a darkened person alone."""
    linear, person = (image / 255.0) ** GAMMA, alpha[..., None] / 255.0
    yield "as it is", 0, image
    for ev in (1, 2, 3):
        gain = 2.0**-ev
        for kind, dark in (
            ("dark", linear * gain),
            ("backlit", linear * (person * gain + 1 - person)),
        ):
            noisy = dark + rng.normal(0, 1, dark.shape) * np.sqrt(dark * 3e-4 + 1e-5)
            yield kind, ev, (np.clip(noisy, 0, 1) ** (1 / GAMMA) * 255 + 0.5).astype(np.uint8)


def measured(image: BgrImage, alpha: AlphaImage) -> tuple[float, float]:
    """Return the mean linear luminance of head and shoulders, and the share of the person that is
    clipped.
    """
    rows = np.flatnonzero((alpha > 127).any(1))
    shoulders = rows[0] + max(1, (rows[-1] + 1 - rows[0]) // 3)
    upper = alpha[:shoulders] > 250
    luminance = ((image[:shoulders][upper] / 255.0) ** GAMMA) @ LUMINANCE
    return float(luminance.mean()), float((image[alpha > 250].max(1) == 255).mean())


def settled(matting: Matting, image: BgrImage) -> tuple[BgrImage, BgrImage, AlphaImage]:
    """Return foreground, composite and alpha of the third of equal frames."""
    matting.reset()
    for _ in range(3):
        matte = matting.step(image, want_foreground=True)
    assert matte.foreground is not None
    return matte.foreground, matte.composite, matte.alpha


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--portraits", type=int, default=40)
    parser.add_argument("--sheet", type=Path)
    words = parser.parse_args()
    rng, sheet = np.random.default_rng(0), []
    files = sorted(words.data.glob("*.jpg"))
    found: dict[tuple[str, int], list[tuple[float, float, float, float]]] = defaultdict(list)
    with (
        Matting("mattecam", background=BEHIND, strict="off") as plain,
        Matting(
            "mattecam", background=BEHIND, strict="off", settings={"light.brightness": 100}
        ) as bright,
    ):
        for index in rng.permutation(len(files))[: words.portraits]:
            image = np.asarray(cv2.imread(str(files[index])), np.uint8)
            *_, alpha = settled(plain, image)
            if (alpha > 250).mean() < 0.05:
                continue
            truth, _ = measured(image, alpha)
            row = [image]
            for kind, ev, given in variants(image, alpha, rng):
                foreground, composite, _ = settled(bright, given)
                (before, clipped_before), (after, clipped) = (
                    measured(given, alpha),
                    measured(foreground, alpha),
                )
                errors = float(np.log2(before / truth)), float(np.log2(after / truth))
                found[kind, ev].append((*errors, clipped_before, clipped))
                row += [given, composite] if ev in (0, 2) else []
            sheet.append(np.hstack([cv2.resize(each, (160, 200)) for each in row]))
    print(
        "| | error in EV, before | after | palest | clipped, before | after "
        "|\n|---|---:|---:|---:|---:|---:|"
    )
    for (kind, ev), values in found.items():
        rows = np.array(values)
        before, after = np.abs(rows[:, :2]).mean(0)
        lost, clipped = 100 * rows[:, 2:].mean(0)
        shown = f"{before:.2f} | {after:.2f} | {rows[:, 1].max():+.2f}"
        print(f"| {kind}, -{ev} EV | {shown} | {lost:.3f} % | {clipped:.3f} % |")
    if words.sheet is not None:
        cv2.imwrite(str(words.sheet), np.vstack(sheet[:10]))


if __name__ == "__main__":
    main()
