"""Matting of streams of frames, of video files and of folders of images from Python.

`mattecam` offers what `__all__` names.
"""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType, TracebackType

from app.backgrounds import open_background
from app.backgrounds.kinds import VideoBackground
from app.config.setting import TRANSPARENT, check_plate, parse_background, with_values
from app.core.errors import MattecamError, ModelError, UsageError
from app.core.process import check_not_forked
from app.core.settings import BackgroundSettings, EdgeSettings, EngineSettings, MattingSettings
from app.core.types import AlphaImage, Backdrop, BgrImage, Frame, Matte, check_bgr
from app.matting import build_engine
from app.matting.interface import EngineInfo, MattingEngine
from app.offline.convert import ConvertReport, Progress, convert_clip
from app.offline.files import check_names, frame_rate
from app.offline.job import is_remote
from app.settings import Settings
from app.stream import Stream

__all__ = [
    "AlphaImage",
    "BgrImage",
    "ConvertReport",
    "EdgeSettings",
    "EngineInfo",
    "Matte",
    "MattecamError",
    "Matting",
    "ModelError",
    "convert",
]

DEFAULT_EDGES = EdgeSettings()
NO_VALUES: Mapping[str, object] = MappingProxyType({})


# Groups of settings, and settings, of live runs alone.
OF_LIVE_RUNS = ("output", "window", "paused", "paused_by_lock", "frozen", "unconfirmed")
# Settings that are arguments of both `Matting` and
# `convert`; the values are those of the command line.
ENGINE = (
    "model",
    "weights",
    "refiner",
    "plate",
    "device",
    "executor",
    "precision",
    "downsample_ratio",
)


def _settings(
    background: Path | str,
    edges: EdgeSettings,
    strict: str,
    engine: Sequence[object],
    others: Mapping[str, object],
) -> Settings:
    """Return the settings of a stream or a film.

    engine: the values of `ENGINE`, in its order. others: values by the names of docs/settings.md,
    which win over the rest. Raises UsageError for a value that is not possible, TypeError for a
    wrong type.
    """
    if not isinstance(background, (str, Path)):
        raise TypeError(f"background must be a string or a path, not {type(background).__name__}")
    if not isinstance(edges, EdgeSettings):
        raise TypeError(f"edges must be EdgeSettings, not {type(edges).__name__}")
    matting = MattingSettings(edges=edges)
    settings = Settings(matting=matting, background=parse_background(background))
    values: dict[str, object] = {
        f"matting.{name}": value for name, value in zip(ENGINE, engine, strict=True)
    }
    values["strict.level"] = strict
    chosen = with_values(settings, {**values, **others})
    check_plate(chosen.matting.plate)
    return chosen


def _check_names(settings: object, turns: Collection[str] = ()) -> None:
    """Raise TypeError for what is no mapping, UsageError for a setting without effect.

    turns: settings of a camera that films have, too.
    """
    if not isinstance(settings, Mapping):
        raise TypeError(f"settings must be a mapping, not {type(settings).__name__}")
    for name in settings:
        group = str(name).split(".")[0]
        is_of_camera = group == "capture" and name not in turns
        if is_of_camera or group in OF_LIVE_RUNS:
            raise UsageError(f"{name} has no effect here; leave it out.")


class StreamBackground:
    """The background of one `Matting`, closed with it at the latest. Used on one thread."""

    def __init__(self, settings: BackgroundSettings) -> None:
        """Raises BackgroundError."""
        self._settings = settings
        self._background = open_background(settings, realtime=False)
        # Releases the file; idempotent. A finalizer, because a stream that nobody closes would
        # leave a video open: the decoding thread refers to its background and keeps it alive.
        self.close = weakref.finalize(self, self._background.close)
        self.close.atexit = False

    def backdrop(self, width: int, height: int, time_s: float) -> Backdrop:
        """Return the backdrop in this size for this time."""
        return self._background.backdrop(width, height, time_s)

    def restarted(self) -> StreamBackground:
        """Return the background of a new stream: a video opened again, others as they are. Raises
        BackgroundError.
        """
        if isinstance(self._background, VideoBackground):  # the clock of a video only goes forwards
            return StreamBackground(self._settings)
        return self


# Makes the engine of a model for frames of (width, height).
Build = Callable[[EngineSettings, int, int], MattingEngine]


class Matting:
    """Mattes one stream of frames: consecutive frames of one video or camera.

    The object owns the recurrent state of its stream; use one object per stream, and each on one
    thread at a time, in the process that made it. The same frames give the same bits in every run
    on the same machine. It is a context manager.
    """

    def __init__(
        self,
        model: str = "auto",
        *,
        background: Path | str = "green",
        edges: EdgeSettings = DEFAULT_EDGES,
        strict: str = "balanced",
        weights: Path | str | None = None,
        refiner: str = "auto",
        plate: Path | str | None = None,
        device: str = "auto",
        executor: str = "auto",
        precision: str = "auto",
        downsample_ratio: float | None = None,
        settings: Mapping[str, object] = NO_VALUES,
        build: Build = build_engine,
    ) -> None:
        """Choose model and background; the model is loaded for the first frame, whose size it
        needs.

        background: `green`, `#RRGGBB`, `blur[:0-100]`, an image or a video. edges: edge controls.
        strict: `balanced` hides things mistaken for people, `off` shows all that the network finds.
        settings: values by the names of docs/settings.md, such as {"light.match": 50}; they win
        over the other arguments. build: makes the engine; a test gives
        `mattecam.testing.FakeEngine`. The other arguments are those of `run.py convert`. Raises
        MattecamError.
        """
        if build is build_engine:
            check_not_forked()
        _check_names(settings)
        # In the order of `ENGINE`.
        chosen = (model, weights, refiner, plate, device, executor, precision, downsample_ratio)
        self._settings = _settings(background, edges, strict, chosen, settings)
        if self._settings.background.kind == "none":
            raise UsageError('The background "none" has no composite; choose another background.')
        self._background = StreamBackground(self._settings.background)
        # As in films, people are shown from the first frame on.
        self._stream = Stream(settles_first=True)
        self._build = build
        self._engine: MattingEngine | None = None
        self._closed = False
        self._process = os.getpid()

    @property
    def edges(self) -> EdgeSettings:
        """The edge controls."""
        return self._settings.matting.edges

    @property
    def strict(self) -> str:
        """The level of strict mode."""
        return self._settings.strict.level

    @property
    def info(self) -> EngineInfo | None:
        """Model, executor, precision, device and ratio in use; None before the first frame."""
        return None if self._engine is None else self._engine.info

    def step(self, frame: BgrImage, *, time_s: float = 0.0, want_foreground: bool = False) -> Matte:
        """Return the matte of the next frame, in new arrays.

        frame: (height, width, 3) uint8 BGR; a change of size restarts the stream. time_s: time of
        the frame, for a video as background. want_foreground: also estimate the colours of the
        person. Raises ModelError if the network fails; the stream then starts anew with the next
        frame. Raises TypeError or ValueError for a wrong frame or time.
        """
        check_bgr(frame)
        if not math.isfinite(time_s):
            raise ValueError(f"time_s must be a finite number of seconds, not {time_s}")
        height, width = frame.shape[:2]
        self._stream.use(self._engine_for(width, height))
        backdrop = self._background.backdrop(width, height, time_s)
        self._stream.step(
            # Live matting alone reads the index.
            Frame(frame, 0, time_s),
            self._settings,
            backdrop,
            want_foreground=want_foreground,
        )
        assert self._stream.matte is not None
        return self._stream.matte

    def reset(self) -> None:
        """Forget the frames seen so far, before a new video or after a cut; a video as background
        starts again.

        Raises BackgroundError if that video cannot be opened again; the stream is then as before.
        """
        if self._closed:
            return
        self._check_open()
        background = self._background.restarted()
        if background is not self._background:
            self._background.close()
            self._background = background
        self._stream.restart()

    def close(self) -> None:
        """Release the model and the background; the stream takes no more frames. Idempotent."""
        self._closed = True
        if self._engine is not None:
            self._engine.close()
        self._background.close()

    def __enter__(self) -> Matting:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _engine_for(self, width: int, height: int) -> MattingEngine:
        """Return the engine, built for the size of the first frame; it adapts itself to another
        one.
        """
        self._check_open()
        if self._engine is None:
            self._engine = self._build(self._settings.matting, width, height)
        return self._engine

    def _check_open(self) -> None:
        if self._closed:
            raise ModelError("The stream is closed; make a new Matting object.")
        # After a fork, whose child has none of the threads and would wait for them.
        if os.getpid() != self._process:
            raise ModelError(
                "This stream belongs to the process that made it; make a stream in each process, "
                'and start processes by spawn, as with multiprocessing.get_context("spawn").'
            )


def convert(
    source: Path | str,
    target: Path | str,
    *,
    model: str = "auto",
    background: Path | str | None = None,
    matte: Path | str | None = None,
    alpha: Path | str | None = None,
    foreground: Path | str | None = None,
    edges: EdgeSettings = DEFAULT_EDGES,
    strict: str = "balanced",
    weights: Path | str | None = None,
    refiner: str = "auto",
    plate: Path | str | None = None,
    device: str = "auto",
    executor: str = "auto",
    precision: str = "auto",
    downsample_ratio: float | None = None,
    rotate: int = 0,
    flip: bool = False,
    settings: Mapping[str, object] = NO_VALUES,
    progress: Progress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
    reproducible: bool = False,
    overwrite: bool = False,
    fps: float | Fraction | str | None = None,
) -> ConvertReport:
    """Matte every frame of a video, an image or a folder of images once and in order, keeping its
    times and audio.

    target, alpha, foreground: outputs for composite, matte and premultiplied foreground. Each is a
    video (.mp4, .m4v, .mov, .mkv, .webm), for an image an image (.png, .jpg), or, without suffix, a
    folder for PNG images.
    background: `transparent` (PNG, WebP, TIFF, .mov, .webm and folders, with straight alpha),
    `green`, `#RRGGBB`, `blur[:0-100]`, an image, a video or `none`. None is `transparent` for
    pictures other than JPEG, and `green` for films.
    matte: a film or a folder of images with the matte of each frame, of an image an image; it is
    used in place of a network.
    rotate, flip: turn the source clockwise by 0, 90, 180 or 270 degrees, then swap left and right,
    before matting.
    settings: values by the names of docs/settings.md, such as {"framing.zoom": 2}; they win over
    the other arguments.
    progress: called with (frames done, expected frames or None) after every frame, and with the
    true total when the outputs are complete.
    should_stop: called before every frame; True interrupts the conversion.
    reproducible: write the same bytes on every machine, with a slower encoder.
    overwrite: replace files of these names; without it they are refused.
    fps: frame rate of a folder of images, such as 24, 29.97 or "24000/1001"; 30 by default.

    A conversion that is interrupted, by should_stop or Ctrl+C, leaves nothing; one that fails keeps
    the frames so far under a temporary name. Raises MattecamError, and KeyboardInterrupt for
    Ctrl+C.
    """
    _check_names(settings, ("capture.rotate", "capture.flip"))
    given = (source, target, matte, alpha, foreground)
    names = [str(name) for name in given if name is not None]
    check_names(names)
    for name in names:
        if is_remote(name):
            raise UsageError(
                f"{name} is an address, and Python converts files; convert it by the command "
                "`convert`, or name a file.",
            )
    # In the order of `ENGINE`.
    chosen = (model, weights, refiner, plate, device, executor, precision, downsample_ratio)
    # None: it follows from the source. Pictures are cut out, films are not.
    transparent: bool | None = background == TRANSPARENT
    names_background = any(name.split(".")[0] == "background" for name in settings)
    if background is None and not names_background:
        transparent = None
    if background is None or transparent:
        background = "green"
    values = {"capture.rotate": rotate, "capture.flip": flip, **settings}
    return convert_clip(
        Path(source),
        Path(target),
        settings=_settings(background, edges, strict, chosen, values),
        matte=None if matte is None else Path(matte),
        alpha=None if alpha is None else Path(alpha),
        foreground=None if foreground is None else Path(foreground),
        progress=progress,
        should_stop=should_stop,
        reproducible=reproducible,
        overwrite=overwrite,
        transparent=transparent,
        fps=None if fps is None else frame_rate(fps),
    )
