"""Offline conversion of a video or a folder of images to composite, matte and foreground."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
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
from app.core.types import (
    UNKNOWN_SOURCE,
    AlphaImage,
    Backdrop,
    BgrImage,
    BlurredBackground,
    Frame,
    Matte,
)
from app.matting import build_engine
from app.matting.build import frame_check
from app.matting.engine import FrameEngine
from app.matting.interface import MattingEngine
from app.media.encoders import file_encoder
from app.media.frame_filters import BgraImage, premultiplied, resampled, straight
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

# Quality of x264.
VIDEO_CRF = 18
# Higher: coding errors of a matte are visible as ghosts.
MATTE_CRF = 10

# What the person of a cut-out is matted over; the composite is not used.
CLEAR = BackgroundSettings(kind="colour", colour="#000000")

# (frames done, total number of frames or None if unknown)
Progress = Callable[[int, int | None], None]
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

        background: None for the kind "none", whose composite is the frame itself, as in the live
        pipeline. transparent: the composite is (H, W, 4): the person alone, with straight alpha.
        """
        self._background = background
        if background is None:
            # "none" shows the whole room, and the matte with it.
            settings = settings.replace(people=Settings().people)
        self._settings = settings
        self._want_alpha = want_alpha
        self._want_foreground = want_foreground
        self._transparent = transparent
        self._source = replace(UNKNOWN_SOURCE, orientation=settings.capture.orientation)
        self._stream = Stream(settles_first=True)
        self._stream.use(engine)
        self._has_engine = engine is not None

    def __call__(self, image: BgrImage | BgraImage, time_s: float) -> list[NDArray[np.uint8]]:
        """Return [composite, alpha if wanted, premultiplied foreground if wanted].

        Raises MattecamError. image: with straight alpha if parts of the source are transparent;
        alpha multiplies the matte.
        """
        frame, opacity = self._framed(image, time_s)
        if not self._has_engine:
            return [frame.image]
        matte = self._matted(frame, opacity, time_s)
        person = None
        if self._transparent or self._want_foreground:
            assert matte.foreground is not None
            person = premultiplied(matte.foreground, matte.alpha)
        pictures: list[NDArray[np.uint8]] = []
        if person is not None and self._transparent:
            pictures.append(np.dstack([straight(person, matte.alpha), matte.alpha]))
        elif self._background is None:
            pictures.append(frame.image)
        else:
            pictures.append(matte.composite)
        if self._want_alpha:
            pictures.append(matte.alpha)
        if person is not None and self._want_foreground:
            pictures.append(person)
        return pictures

    def _framed(
        self,
        image: BgrImage | BgraImage,
        time_s: float,
    ) -> tuple[Frame, AlphaImage | None]:
        """Return the crop of a frame, and its alpha; what a transparent part hides is black."""
        framing = self._settings.framing
        if image.shape[2] == 3:
            return cropped(Frame(image, 0, time_s, source=self._source), framing), None
        crop = resampled(image, lambda each: framed(each, framing))
        shown = np.ascontiguousarray(crop[..., :3])
        opacity = np.ascontiguousarray(crop[..., 3])
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
    """Return a matte times the alpha of the source, over the same backdrop."""
    alpha = ((matte.alpha * opacity.astype(np.uint16) + 127) // 255).astype(np.uint8)
    if isinstance(backdrop, BlurredBackground):
        # The step alone knows the blurred room: over black.
        composite = premultiplied(matte.composite, opacity)
        return replace(matte, composite=composite, alpha=alpha)
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

        One that has failed is not used again, nor is one with a plate, which adapts to the light of
        its clip.
        """
        made_for = (settings.matting, settings.framing)
        engine = self._engine
        if engine is None or made_for != self._made_for:
            self.close()
            engine = build_engine(settings.matting, width, height, settings.framing)
        # Not kept while it is used: one that fails is closed.
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

    target: Path  # of the composite
    frames: int
    complete: bool  # was not interrupted
    problems: tuple[str, ...]  # sentences on what could not be converted
    # The source holds fewer frames, or ends earlier, than its header says.
    source_cut: bool = False
    # As the container of the source names or its duration implies; None if unknown.
    expected_frames: int | None = None


@memory_errors()
def convert_clip(
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

    settings: matting, background, people, framing and the turn of `capture` take effect as in the
    live pipeline. source: a video, an image or a folder of images. target, alpha, foreground: for
    the composite, the matte and the foreground over black (premultiplied by the matte); a video
    (.mp4, .mov, .mkv, .webm), of an image an image (.png, .jpg), or, without suffix, a folder for
    PNG images. matte: a film or a folder of images, or of an image an image, with the matte of each
    frame, in place of the network's; the film ends with a sentence where it is of another size or
    number. overwrite: replace files of these names, which are refused otherwise. transparent: write
    the composite as a cut-out, with straight alpha and no background; None: where `is_transparent`
    says so. Transparent parts of the source are so in the matte. fps: frame rate of a folder of
    images, by default 30; refused for what has its own. kept_engine: of the clip before, which the
    caller closes. progress is called after every frame, and with the true total when the outputs
    are complete; should_stop before every frame. reproducible: write the same bytes on every
    machine, for which x264 runs in one thread.

    Outputs have a temporary name (`name.part.mp4`, `name.part`) until they are complete.
    keep_failed: keep the frames so far, in a finished file under the temporary name, when the
    conversion fails; one that is interrupted, by should_stop or Ctrl+C, leaves nothing. Memory use
    is independent of the length. Raises MattecamError, and KeyboardInterrupt for Ctrl+C.
    """
    transparent = is_transparent(target, transparent)
    _check_names(source, matte, (target, alpha, foreground), overwrite=overwrite)
    orientation = settings.capture.orientation
    mattes = None if matte is None else GivenMattes(matte, settings)
    check_upright = frame_check(settings.matting) if mattes is None else _any_size

    def check_size(width: int, height: int) -> None:
        check_upright(*orientation.size(width, height))

    reader = _open_reader(source, check_size, fps)
    # Before the first frame, whose exact time depends on those of all.
    _ = reader.timing
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
        _, _, first_image = first
        height, width = first_image.shape[:2]
        backdrop = CLEAR if transparent else settings.background
        background = None
        engine = None
        if backdrop.kind != "none":
            background = stack.enter_context(closing(open_background(backdrop, realtime=False)))
        if background is not None or alpha is not None or foreground is not None:
            engine = stack.enter_context(_engine(settings, mattes, kept_engine, width, height))
        opened, problems = _open_outputs(
            reader,
            (target, alpha, foreground),
            (width, height),
            overwrite,
            reproducible,
            transparent,
        )
        step = FilmStep(
            engine,
            background,
            settings,
            alpha is not None,
            foreground is not None,
            transparent=transparent,
        )
        outputs = Outputs(opened)
        complete, written = _run(
            chain([first], frames),
            step,
            outputs,
            reader,
            progress,
            should_stop,
            keep_failed,
        )
    done = outputs.frames
    expected = reader.frame_estimate
    is_cut = complete and reader.is_cut
    if is_cut:
        # There was at least one more frame.
        at_least = max(expected or 0, done + 1)
        problems.append(
            f"{source} is cut off: {done} of {at_least} frames could be read; copy or download it "
            "again.",
        )
    for output in opened:
        if isinstance(output, VideoWriter) and output.problem:
            problems.append(output.problem)
    problems += reader.left_out(is_film=isinstance(opened[0], VideoWriter))
    if complete:
        progress(done, done)
        if mattes is not None:
            problems += mattes.problems()
    return ConvertReport(written or target, done, complete, tuple(problems), is_cut, expected)


def _check_names(
    source: Path,
    matte: Path | None,
    outputs: Sequence[Path | None],
    *,
    overwrite: bool,
) -> None:
    """Raise UsageError for an output that would replace what must stay."""
    named = [path for path in outputs if path is not None]
    check_outputs(named, source, matte)
    for path in named:
        replaced = existing(source, path)
        if replaced is None:
            continue
        if is_special(replaced):
            raise UsageError(
                f"{replaced} is a pipe or a device, which is not replaced; choose another name.",
            )
        if not overwrite:
            raise exists_already([replaced])


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


def _open_reader(
    source: Path,
    check_size: Callable[[int, int], object],
    fps: Fraction | None,
) -> Reader:
    """Open a video or a folder of images.

    check_size: of each image. fps: as of `convert`. Raises MattecamError.
    """
    try:
        if not source.exists():
            raise SourceOpenError(f"There is no file or folder {source}; check the name.")
        if fps is not None and not source.is_dir():
            raise rate_without_folder(source)
        if source.is_dir() or is_picture(source):
            return ImageFolderReader(source, check_size, fps or DEFAULT_FPS)
        return VideoReader(source, with_alpha=True)
    except OSError as error:
        # Of the folder: the readers of files explain their own.
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

    Return whether all were written, and the composite, None if it was removed. Raises
    MattecamError, and what a callback raises.
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
    written, failure = outputs.finish(
        complete=complete,
        keep=complete and keep_failed,
        end_s=reader.end_s,
    )
    if failure:
        raise SinkLostError(failure)
    return complete, written


def _finish_failed(outputs: Outputs, error: BaseException, keep_failed: bool) -> None:
    """Keep or remove what was written before an error, and add to the error what was kept.

    Raises SinkLostError if an error of another kind than ours meets outputs that cannot be
    finished.
    """
    # Ctrl+C, or nobody who reads the progress, is an interruption, not a failure.
    has_failed = isinstance(error, Exception) and not isinstance(error, BrokenPipeError)
    written, failure = outputs.finish(complete=False, keep=has_failed and keep_failed)
    if failure:
        sentence = failure
    elif written:
        sentence = f"Frames kept in {written}: the first {outputs.frames}."
    else:
        return
    if isinstance(error, MattecamError):
        error.extend(sentence)
    elif failure:
        raise SinkLostError(failure) from error
    else:
        # An error of the caller's own is not altered.
        log.warning("%s", sentence)


def _open_outputs(
    reader: Reader,
    paths: tuple[Path, Path | None, Path | None],
    size: tuple[int, int],
    overwrite: bool,
    reproducible: bool,
    transparent: bool,
) -> tuple[list[Output], list[str]]:
    """Return the outputs in the order of `FilmStep`, and what could not be copied.

    Raises SinkOpenError. paths: of composite, alpha and foreground; None for those not wanted.
    transparent: of the composite.
    """
    opened: list[Output] = []
    problems: list[str] = []
    timing = reader.timing
    film = reader if isinstance(reader, VideoReader) else None

    def open_one(path: Path, crf: int, *, sound: bool, alpha: bool) -> Output:
        """Open a folder if the name is one or has no suffix, otherwise an image or a video."""
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
        has_sound = is_composite and film is not None
        try:
            try:
                opened.append(open_one(path, crf, sound=has_sound, alpha=alpha))
            except OSError:
                if not has_sound:
                    raise
                # A film without its sound is better than none.
                opened.append(open_one(path, crf, sound=False, alpha=alpha))
                problems.append(f"The sound of {reader.path} could not be taken over.")
        except OSError as error:
            for output in opened:
                output.abort()
            text = f"{path} cannot be written: {why_not_written(error)}."
            raise write_error(error)(text) from error
    return opened, problems
