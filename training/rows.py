"""The figures of the model card, from alphas on held-out scenes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import cv2
import numpy as np
import numpy.typing as npt

from training import metrics
from training.gaps import enclosed, gaps
from training.matte import overlap
from training.metrics import Alpha

Pixels = npt.NDArray[np.uint8]
Row = dict[str, float]

FAILURE_MAD = 30.0
"""A photo with a larger MAD (times 1e3) counts as a failure."""
RIM_PX = 5
GHOST_PX = 10
BAND_PX = 10
"""Masks drawn by people are not trusted within this distance of their edge."""
TRIMMED = 0.05
"""Share of the photos left out at either end of a trimmed mean, which no single photo decides."""
SETTLED = 1.2
"""After a cut a stream has settled once its error is at most so many times the error of a fresh
state.
"""


def ghost_share(alpha: Alpha) -> float:
    """Return the share of pixels, in percent, with 0.1 < alpha < 0.9 farther than 10 px from the
    0.5 contour.
    """
    undecided = (alpha > 0.1) & (alpha < 0.9)
    return 100 * float((undecided & (_distance_to_edge(alpha > 0.5) > GHOST_PX)).mean())


def agreement_row(pred: Sequence[Alpha], true: Sequence[Alpha]) -> Row:
    """Return MAD (mean, trimmed mean, median, p90, p99), failures, IoU and ghosts of one alpha per
    photo.
    """
    mads = [metrics.mad(p, t) for p, t in zip(pred, true, strict=True)]
    ends = int(TRIMMED * len(mads))
    return {
        "mad": fmean(mads),
        "trimmed": fmean(sorted(mads)[ends : len(mads) - ends]),
        "median": float(np.median(mads)),
        "p90": float(np.percentile(mads, 90)),
        "p99": float(np.percentile(mads, 99)),
        "failures %": 100 * fmean(mad > FAILURE_MAD for mad in mads),
        "iou": fmean(overlap(p > 0.5, t > 0.5) for p, t in zip(pred, true, strict=True)),
        "ghosts %": fmean(ghost_share(p) for p in pred),
    }


def mask_row(pred: Sequence[Alpha], masks: Sequence[npt.NDArray[np.bool_]]) -> Row:
    """Return the error (times 1e3) more than 10 px off the edge of masks drawn by people, and IoU."""
    errors, ious = [], []
    for alpha, mask in zip(pred, masks, strict=True):
        off_edge = _distance_to_edge(mask) > BAND_PX
        errors.append(1e3 * float(np.abs(alpha - mask)[off_edge].mean()))
        ious.append(overlap(alpha > 0.5, mask))
    return {
        "mask error": fmean(errors),
        "mask iou": fmean(ious),
        "mask iou median": float(np.median(ious)),
    }


def cutout_row(pred: Sequence[Alpha], true: Sequence[Alpha]) -> Row:
    """Return MAD, MSE, Grad and dtSSD of one moving sequence."""
    pairs = list(zip(pred, true, strict=True))
    steps = range(1, len(pairs))
    return {
        "cut-out mad": fmean(metrics.mad(p, t) for p, t in pairs),
        "cut-out mse": fmean(metrics.mse(p, t) for p, t in pairs),
        "cut-out grad": fmean(metrics.grad(p, t) for p, t in pairs),
        "cut-out dtssd": fmean(
            metrics.dtssd(pred[i], pred[i - 1], true[i], true[i - 1]) for i in steps
        ),
    }


def gaps_shown(pred: Sequence[Alpha], true: Sequence[Alpha]) -> float:
    """Return the share, in percent, of the pixels in gaps of the true alphas that are shown; see
    `training.gaps`.
    """
    shown = found = 0
    for ours, exact in zip(pred, true, strict=True):
        places = gaps(np.rint(255 * exact).astype(np.uint8))
        found += int(places.sum())
        shown += int((places & (ours >= 0.5)).sum())
    return 100 * shown / found if found else 0.0


def holes(pred: Sequence[Alpha], true: Sequence[Alpha]) -> float:
    """Return the share, in percent, of the insides of people that lies in holes of the matte.

    Inside is what is more than 10 px from the edge of the true alpha; a hole is hidden and reaches
    no border of the frame.
    """
    inside = lost = 0
    for ours, exact in zip(pred, true, strict=True):
        person = exact >= 0.5
        inner = person & (_distance_to_edge(person) > BAND_PX)
        inside += int(inner.sum())
        lost += int((inner & enclosed((ours >= 0.5).astype(np.uint8))).sum())
    return 100 * lost / inside if inside else 0.0


def rim_error(
    foreground: Pixels, alpha: Alpha, true_foreground: Pixels, true_alpha: Alpha
) -> float:
    """Return the mean colour error, of 255, within 5 px of the true edge over a contrasting
    background.
    """
    rim = _distance_to_edge(true_alpha > 0.5) <= RIM_PX
    if not rim.any():
        return 0.0
    behind = 255.0 if true_foreground[rim].mean() < 128 else 0.0
    ours, exact = (
        colour[rim].astype(np.float32) * a[rim][:, None] + behind * (1 - a[rim][:, None])
        for colour, a in ((foreground, alpha), (true_foreground, true_alpha))
    )
    return float(np.abs(ours - exact).mean())


def frames_until_settled(errors: Sequence[float], fresh: float) -> int:
    """Return how many frames after a cut the error stays above that of a fresh state by more than a
    fifth.
    """
    return next(
        (i for i, error in enumerate(errors) if error <= SETTLED * fresh + 1.0), len(errors)
    )


def mean_row(rows: Sequence[Row]) -> Row:
    """Return the mean of each figure."""
    return {name: fmean(row[name] for row in rows) for name in rows[0]} if rows else {}


def _distance_to_edge(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    shown = inside.astype(np.uint8)
    if shown.all() or not shown.any():
        return np.full(shown.shape, np.inf, np.float32)
    return np.asarray(
        np.maximum(
            cv2.distanceTransform(shown, cv2.DIST_L2, 5),
            cv2.distanceTransform(1 - shown, cv2.DIST_L2, 5),
        ),
        np.float32,
    )
