"""Offline conversion of a video or a folder of images to composite, matte and foreground: its step, and its run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.backgrounds import Background, open_background
from app.core.errors import (
    MattecamError,
    PlateError,
    SinkLostError,
    SourceOpenError,
    UsageError,
    memory_errors,
)
from app.core.files import check_outputs, is_folder, is_special, why_not_written, write_error
from app.core.geometry import cropped, framed, viewed
from app.core.settings import BackgroundSettings, FramingSettings, MattingSettings
from app.core.types import UNKNOWN_SOURCE, AlphaImage, Backdrop, BgrImage, BlurredBackground, Frame, Matte
from app.matting import build_engine
from app.matting.build import frame_check
from app.matting.engine import FrameEngine
from app.matting.interface import MattingEngine
from app.media.encoders import file_encoder
from app.media.frame_filters import BgraImage, premultiplied, straight
from app.media.image_file import is_picture
from app.media.video_reader import VideoReader
from app.media.video_writer import VideoWriter
from app.offline.files import (
    DEFAULT_FPS,
    ImageFolderReader,
    Output,
    Outputs,
    PictureOutput,
    existing,
    exists_already,
    is_transparent,
    names_image,
    not_read,
    rate_without_folder,
)
from app.offline.given_matte import GivenMattes, NamedFrame, matte_engine
from app.settings import Settings
from app.stream import Stream

log = logging.getLogger(__name__)

VIDEO_CRF, MATTE_CRF = 18, 10
"""Quality of x264. The matte gets a higher one: its coding errors are visible as ghosts."""

CLEAR = BackgroundSettings(kind="colour", colour="#000000")
"""What the person of a cut-out is matted over; the composite is not used."""

Progress = Callable[[int, int | None], None]
"""(frames done, total number of frames or None if unknown)"""
Reader = VideoReader | ImageFolderReader


class FilmStep:
    """Processes one frame into one image for every output. Used on one thread."""

    def __init__(
        self,
        engine: MattingEngine | None,
        background: Background | None,
        settings: Settings,
        want_alpha: bool,
        want_foreground: bool,
        *,
        transparent: bool = False,
    ) -> None:
        """engine: None where no matte is wanted, and the composite is the frame itself.

        background: None for the kind "none", whose composite is the frame itself, as in the live pipeline. transparent:
        the composite is (H, W, 4): the person alone, with straight alpha.
        """
        self._background = background
        # The background "none" shows the whole room, and the matte with it.
        self._settings = settings if background is not None else settings.replace(people=Settings().people)
        self._want_alpha = want_alpha
        self._want_foreground = want_foreground
        self._transparent = transparent
        self._source = replace(UNKNOWN_SOURCE, orientation=settings.capture.orientation)
        self._stream = Stream(settles_first=True)
        self._stream.use(engine)
        self._mattes = engine is not None

    def __call__(self, image: BgrImage | BgraImage, time_s: float) -> list[NDArray[np.uint8]]:
        """Return [composite, alpha if wanted, premultiplied foreground if wanted]. Raises MattecamError.

        image: with straight alpha if parts of the source are transparent; alpha multiplies the matte.
        """
        frame, opacity = self._framed(image, time_s)
        if not self._mattes:
            return [frame.image]
        matte = self._matted(frame, opacity, time_s)
        pictures: list[NDArray[np.uint8]] = [frame.image if self._background is None else matte.composite]
        if self._want_alpha:
            pictures.append(matte.alpha)
        if self._want_foreground or self._transparent:
            assert matte.foreground is not None
            person = premultiplied(matte.foreground, matte.alpha)
            if self._transparent:
                pictures[0] = np.dstack([straight(person, matte.alpha), matte.alpha])
            if self._want_foreground:
                pictures.append(person)
        return pictures

    def _framed(self, image: BgrImage | BgraImage, time_s: float) -> tuple[Frame, AlphaImage | None]:
        """Return the crop of a frame, and its alpha; what a transparent part hides is black."""
        framing = self._settings.framing
        if image.shape[2] == 3:
            return cropped(Frame(image, 0, time_s, source=self._source), framing), None
        opacity = framed(image[..., 3], framing)
        # Colours are interpolated premultiplied: those of transparent pixels mean nothing.
        shown = straight(framed(premultiplied(image[..., :3], image[..., 3]), framing), opacity)
        return Frame(shown, 0, time_s, whole=image[..., :3], source=self._source), opacity

    def _matted(self, frame: Frame, opacity: AlphaImage | None, time_s: float) -> Matte:
        want_foreground = self._want_foreground or self._transparent or opacity is not None
        backdrop: Backdrop = np.zeros_like(frame.image)
        if self._background is not None:
            backdrop = self._background.backdrop(*frame.size, time_s)
            # A film whose background stands still would be taken for a good one.
            if self._background.problem is not None:
                raise self._background.problem
        self._stream.step(frame, self._settings, backdrop, want_foreground=want_foreground)
        matte = self._stream.matte
        assert matte is not None
        if opacity is None:
            return matte
        view = self._stream.view
        if not view.is_whole:
            opacity = viewed(opacity, view)
        return _multiplied(matte, opacity, backdrop)


def _multiplied(matte: Matte, opacity: AlphaImage, backdrop: Backdrop) -> Matte:
    """Return a matte times the alpha of the source, over the same backdrop; over black where that is a blur."""
    alpha = ((matte.alpha * opacity.astype(np.uint16) + 127) // 255).astype(np.uint8)
    if isinstance(backdrop, BlurredBackground):
        return replace(matte, composite=premultiplied(matte.composite, opacity), alpha=alpha)
    assert matte.foreground is not None
    weights = alpha[..., None].astype(np.uint16)
    composite = (matte.foreground * weights + backdrop * (255 - weights) + 127) // 255
    return replace(matte, composite=composite.astype(np.uint8), alpha=alpha)


class KeptEngine:
    """Keeps the engine of a clip for the next one with the same settings. Used on one thread.

    Loading a network takes longer than matting a photo.
    """

    def __init__(self) -> None:
        self._engine: MattingEngine | None = None
        self._made_for: tuple[MattingSettings, FramingSettings] | None = None

    @contextmanager
    def of_clip(self, settings: Settings, width: int, height: int) -> Iterator[MattingEngine]:
        """Yield an engine that has seen no frame yet. Raises MattecamError as `build_engine`.

        One that has failed is not used again, nor is one with a plate, which adapts to the light of its clip.
        """
        made_for = settings.matting, settings.framing
        engine = self._engine
        if engine is None or made_for != self._made_for:
            self.close()
            engine = build_engine(settings.matting, width, height, settings.framing)
        self._engine = None
        try:
            engine.reset()
            yield engine
        except BaseException:
            engine.close()
            raise
        if isinstance(engine, FrameEngine):
            self._engine = engine
            self._made_for = made_for
        else:
            engine.close()

    def close(self) -> None:
        """Release the engine. Idempotent."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


@dataclass(frozen=True, slots=True)
class ConvertReport:
    """Result of a conversion."""

    target: Path
    """The composite."""
    frames: int
    complete: bool
    """False if it was interrupted."""
    problems: tuple[str, ...]
    """Sentences on what could not be converted."""
    source_cut: bool = False
    """The source holds fewer frames, or ends earlier, than its header says."""
    expected_frames: int | None = None
    """Number of frames that the container of the source names or its duration implies; None if unknown."""


@memory_errors()
def convert(
    source: Path,
    target: Path,
    *,
    settings: Settings,
    matte: Path | None = None,
    alpha: Path | None = None,
    foreground: Path | None = None,
    progress: Progress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
    keep_failed: bool = True,
    reproducible: bool = False,
    overwrite: bool = False,
    transparent: bool | None = False,
    fps: Fraction | None = None,
    kept_engine: KeptEngine | None = None,
) -> ConvertReport:
    """Matte every frame of `source` once and in order, keeping its times and audio.

    settings: matting, background, people, framing and the turn of `capture` take effect as in the live pipeline.
    source: a video, an image or a folder of images. target, alpha, foreground: for the composite, the matte and the
    foreground over black (premultiplied by the matte); a video (.mp4, .mov, .mkv, .webm), of an image an image (.png,
    .jpg), or, without suffix, a folder for PNG images. matte: a film or a folder of images, or of an image an image,
    with the matte of each frame, in place of the network's; the film ends with a sentence where it is of another size
    or number. overwrite: replace files of these names, which are refused
    otherwise. transparent: write the composite as a cut-out, with straight alpha and no background; None: where
    `is_transparent` says so. Transparent parts of the source are so in the matte.
    fps: frame rate of a folder of images, by default 30; refused for what has its own. kept_engine: of the clip
    before, which the caller closes.
    progress is called after every frame, and with the true total when the outputs are complete; should_stop before
    every frame. reproducible: write the same bytes on every machine, for which x264 runs in one thread.

    Outputs have a temporary name (`name.part.mp4`, `name.part`) until they are complete. keep_failed: keep the frames
    so far, in a finished file under the temporary name, when the conversion fails; one that is interrupted, by
    should_stop or Ctrl+C, leaves nothing. Memory use is independent of the length. Raises MattecamError, and
    KeyboardInterrupt for Ctrl+C.
    """
    transparent = is_transparent(target, transparent)
    wanted = [path for path in (target, alpha, foreground) if path is not None]
    check_outputs(wanted, source, matte)
    for taken in filter(None, (existing(source, path) for path in wanted)):
        if is_special(taken):
            raise UsageError(f"{taken} is a pipe or a device, which is not replaced; choose another name.")
        if not overwrite:
            raise exists_already([taken])
    orientation = settings.capture.orientation
    mattes = None if matte is None else GivenMattes(matte, settings)
    check = frame_check(settings.matting) if mattes is None else _any_size
    reader = _open_reader(source, lambda width, height: check(*orientation.size(width, height)), fps)
    _ = reader.timing  # before the first frame, whose exact time depends on those of all
    if mattes is not None:
        mattes.check_count(reader)
    with ExitStack() as stack:
        stored: Generator[NamedFrame] = stack.enter_context(closing(reader.named_frames()))
        if mattes is not None:
            stored = stack.enter_context(closing(mattes.beside(stored, reader)))
        frames = ((time_s, name, orientation.upright(image)) for time_s, name, image in stored)
        first = next(frames, None)
        if first is None:
            raise UsageError(f"{source} contains no usable frame; choose another file.")
        height, width = first[2].shape[:2]
        backdrop = CLEAR if transparent else settings.background
        engine = background = None
        if backdrop.kind != "none":
            background = stack.enter_context(closing(open_background(backdrop, realtime=False)))
        if background is not None or alpha is not None or foreground is not None:
            engine = stack.enter_context(_engine(settings, mattes, kept_engine, width, height))
        opened, problems = _open_outputs(
            reader, (target, alpha, foreground), (width, height), overwrite, reproducible, transparent
        )
        step = FilmStep(
            engine, background, settings, alpha is not None, foreground is not None, transparent=transparent
        )
        outputs = Outputs(opened)
        complete, written = _run(chain([first], frames), step, outputs, reader, progress, should_stop, keep_failed)
    done, expected = outputs.frames, reader.frame_estimate
    cut = complete and reader.is_cut
    if cut:
        problems.append(
            f"{source} is cut off: {done} of {max(expected or 0, done + 1)} frames could be read; copy or download it "
            "again."
        )
    problems += (each.problem for each in opened if isinstance(each, VideoWriter) and each.problem)
    problems += reader.left_out(is_film=isinstance(opened[0], VideoWriter))
    if complete:
        progress(done, done)
        problems += [] if mattes is None else mattes.problems()
    return ConvertReport(written or target, done, complete, tuple(problems), cut, expected)


def _engine(
    settings: Settings, mattes: GivenMattes | None, kept: KeptEngine | None, width: int, height: int
) -> AbstractContextManager[MattingEngine]:
    if mattes is not None:
        return closing(matte_engine(mattes, width, height))
    if kept is not None:
        return kept.of_clip(settings, width, height)
    return closing(build_engine(settings.matting, width, height, settings.framing))


def _any_size(width: int, height: int) -> None:
    """Check nothing: only a network has a least size of frames."""


def _open_reader(source: Path, check_size: Callable[[int, int], object], fps: Fraction | None) -> Reader:
    """Open a video or a folder of images. check_size: of each image. fps: as of `convert`. Raises MattecamError."""
    try:
        if not source.exists():
            raise SourceOpenError(f"There is no file or folder {source}; check the name.")
        if fps is not None and not source.is_dir():
            raise rate_without_folder(source)
        if source.is_dir() or is_picture(source):
            return ImageFolderReader(source, check_size, fps or DEFAULT_FPS)
        return VideoReader(source, with_alpha=True)
    except OSError as error:  # of the folder: the readers of files explain their own
        raise not_read(source, error) from error


def _run(
    frames: Iterator[NamedFrame],
    step: FilmStep,
    outputs: Outputs,
    reader: Reader,
    progress: Progress,
    should_stop: Callable[[], bool],
    keep_failed: bool,
) -> tuple[bool, Path | None]:
    """Write every frame to `outputs`, and finish or remove them.

    Return whether all were written, and the composite, None if it was removed. Raises MattecamError, and what a
    callback raises.
    """
    complete = False
    try:
        with memory_errors():
            for time_s, name, image in frames:
                if should_stop():
                    break
                try:
                    converted = step(image, float(time_s))
                except PlateError as error:
                    raise PlateError(f"Image {name} of {reader.path}: {error.text}") from error
                outputs.write(converted, time_s, name)
                progress(outputs.frames, reader.frame_estimate)
            else:
                complete = True
    except BaseException as error:
        _finish_failed(outputs, error, keep_failed)
        raise
    written, failure = outputs.finish(complete=complete, keep=complete and keep_failed, end_s=reader.end_s)
    if failure:
        raise SinkLostError(failure)
    return complete, written


def _finish_failed(outputs: Outputs, error: BaseException, keep_failed: bool) -> None:
    """Keep or remove what was written before an error, and add to the error what was kept.

    Raises SinkLostError if an error of another kind than ours meets outputs that cannot be finished.
    """
    # Ctrl+C, or nobody who reads the progress, is an interruption, not a failure.
    failed = isinstance(error, Exception) and not isinstance(error, BrokenPipeError)
    written, failure = outputs.finish(complete=False, keep=failed and keep_failed)
    kept = f"Frames kept in {written}: the first {outputs.frames}." if written else None
    told = failure or kept
    if told is None:
        return
    if isinstance(error, MattecamError):
        error.extend(told)
    elif failure:
        raise SinkLostError(failure) from error
    else:
        log.warning("%s", kept)  # an error of the caller's own is not altered


def _open_outputs(
    reader: Reader,
    paths: tuple[Path, Path | None, Path | None],
    size: tuple[int, int],
    overwrite: bool,
    reproducible: bool,
    transparent: bool,
) -> tuple[list[Output], list[str]]:
    """Return the outputs in the order of `FilmStep`, and what could not be copied. Raises SinkOpenError.

    paths: of composite, alpha and foreground; None for those not wanted. transparent: of the composite.
    """
    opened: list[Output] = []
    problems: list[str] = []
    timing = reader.timing
    film = reader if isinstance(reader, VideoReader) else None

    def open_one(path: Path, crf: int, *, sound: bool, alpha: bool) -> Output:
        """Open a folder if the name has no suffix or is an existing folder, otherwise an image or a video."""
        if is_folder(path) or not path.suffix:
            return PictureOutput(path, overwrite=overwrite, is_video=film is not None)
        if reader.is_image and names_image(path):
            return PictureOutput(path, overwrite=overwrite, is_image=True)
        return VideoWriter(
            path,
            *size,
            timing.rate,
            time_base=reader.time_base if timing.grid is None else None,
            audio_from=reader.path if sound else None,
            leaps=timing.leaps,
            encoder=file_encoder(crf, path.suffix.lower(), alpha=alpha),
            is_constant=timing.is_constant,
            labels=reader.labels.until(timing.ends_s),
            reproducible=reproducible,
        )

    for path, crf in zip(paths, (VIDEO_CRF, MATTE_CRF, VIDEO_CRF), strict=True):
        if path is None:
            continue
        is_composite = path is paths[0]
        alpha = is_composite and transparent
        try:
            try:
                opened.append(open_one(path, crf, sound=is_composite and film is not None, alpha=alpha))
            except OSError:
                if not is_composite or film is None:
                    raise
                opened.append(open_one(path, crf, sound=False, alpha=alpha))
                problems.append(f"The sound of {reader.path} could not be taken over.")
        except OSError as error:
            for output in opened:
                output.abort()
            raise write_error(error)(f"{path} cannot be written: {why_not_written(error)}.") from error
    return opened, problems
