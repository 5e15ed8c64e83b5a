"""Matting of video files and folders of images from Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import NoneType

from app.api.matting import WITHOUT_STRICT, ModelOptions
from app.core.settings import EdgeSettings, Settings
from app.offline import convert as offline
from app.offline.convert import ConvertReport, Progress

__all__ = ["ConvertReport", "convert"]


def convert(
    source: Path | str,
    target: Path | str,
    *,
    model: str = "auto",
    background: Path | str = "green",
    alpha: Path | str | None = None,
    foreground: Path | str | None = None,
    edges: EdgeSettings = WITHOUT_STRICT,
    weights: Path | str | None = None,
    refiner: str = "auto",
    plate: Path | str | None = None,
    device: str = "auto",
    executor: str = "auto",
    precision: str = "auto",
    downsample_ratio: float | None = None,
    settings: Settings | None = None,
    progress: Progress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
    keep_partial: bool | None = None,
    reproducible: bool = False,
    overwrite: bool = False,
) -> ConvertReport:
    """Matte every frame of a video, an image or a folder of images once and in order, keeping its times and audio.

    target, alpha, foreground: for composite, matte and premultiplied foreground; a video (.mp4, .mov, .mkv), for an
    image an image (.png, .jpg), or, without suffix, a folder for PNG images. background: `green`, `#RRGGBB`,
    `blur[:0-100]`, an image, a video or `none`.
    settings: replaces background, edges and the choice of the model, and adds framing, placement, people and overlay.
    progress(frames done, expected frames or None) is called after every frame, and with the true total when the outputs
    are complete; should_stop is called before every frame. keep_partial: keep the frames so far of a conversion that is
    interrupted (by should_stop or Ctrl+C) or fails; None keeps them only after a failure. reproducible: write the same
    bytes on every machine, with a slower encoder. overwrite: replace files of these names; without it they are refused.
    Raises MattecamError, and KeyboardInterrupt for Ctrl+C.
    """
    if not isinstance(settings, (Settings, NoneType)):
        raise TypeError(f"settings must be Settings, not {type(settings).__name__}")
    options = ModelOptions(model, weights, refiner, plate, device, executor, precision, downsample_ratio)
    return offline.convert(
        Path(source),
        Path(target),
        settings=options.settings(background, edges) if settings is None else settings,
        alpha=None if alpha is None else Path(alpha),
        foreground=None if foreground is None else Path(foreground),
        progress=progress,
        should_stop=should_stop,
        keep_partial=keep_partial,
        reproducible=reproducible,
        overwrite=overwrite,
    )
