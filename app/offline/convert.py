"""Offline conversion of a video or a folder of images to composite, matte and foreground."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

from app.backgrounds import open_background
from app.core.errors import MattecamError, PlateError, SinkLostError, SinkOpenError, SourceOpenError, UsageError
from app.core.files import check_outputs, is_file, is_folder, is_special, resolved
from app.core.settings import BackgroundSettings, Settings
from app.core.types import BgrImage
from app.matting import build_engine
from app.matting.build import frame_check
from app.media.frame_filters import BgraImage
from app.media.image_file import is_picture
from app.media.video_reader import VideoReader
from app.media.video_writer import VideoWriter
from app.offline.files import (
    DEFAULT_FPS,
    ImageFolderReader,
    Output,
    OutputFormat,
    Outputs,
    existing,
    exists_already,
    is_transparent,
    not_read,
    open_output,
    rate_without_folder,
)
from app.offline.film_step import FilmStep

VIDEO_CRF, MATTE_CRF = 18, 10
"""Quality of x264. The matte gets a higher one: its coding errors are visible as ghosts."""

CLEAR = BackgroundSettings(kind="colour", colour="#000000")
"""What the person of a cut-out is matted over; the composite is not used."""

Progress = Callable[[int, int | None], None]
"""(frames done, total number of frames or None if unknown)"""
Reader = VideoReader | ImageFolderReader
NamedFrame = tuple[Fraction, str, BgrImage | BgraImage]
"""Time in seconds, name of its file, image: with alpha where it is not opaque."""


@dataclass(frozen=True, slots=True)
class ConvertReport:
    """Result of a conversion."""

    target: Path
    """The composite; of an interrupted conversion that keeps its frames, the temporary file or folder with them."""
    frames: int
    complete: bool
    """False if it was interrupted."""
    problems: tuple[str, ...]
    """Sentences on what could not be converted."""
    source_cut: bool = False
    """The source holds fewer frames, or ends earlier, than its header says."""
    expected_frames: int | None = None
    """Number of frames that the container of the source names or its duration implies; None if unknown."""


def convert(
    source: Path,
    target: Path,
    *,
    settings: Settings,
    alpha: Path | None = None,
    foreground: Path | None = None,
    progress: Progress = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
    keep_partial: bool | None = None,
    reproducible: bool = False,
    overwrite: bool = False,
    transparent: bool | None = False,
    fps: Fraction | None = None,
) -> ConvertReport:
    """Matte every frame of `source` once and in order, keeping its times and audio.

    settings: matting, background, people, framing and the turn of `capture` take effect as in the live pipeline.
    source: a video, an image or a folder of images. target, alpha, foreground: for the composite, the matte and the
    foreground over black (premultiplied by the matte); a video (.mp4, .mov, .mkv, .webm), of an image an image (.png,
    .jpg), or, without suffix, a folder for PNG images. overwrite: replace files of these names, which are refused
    otherwise. transparent: write the composite as a cut-out, with straight alpha and no background; None: where
    `is_transparent` says so. Transparent parts of the source are so in the matte.
    fps: frame rate of a folder of images, by default 30; refused for what has its own.
    progress is called after every frame, and with the true total when the outputs are complete; should_stop before
    every frame. reproducible: write the same bytes on every machine, for which x264 runs in one thread.

    Outputs have a temporary name (`name.part.mp4`, `name.part`) until they are complete. keep_partial: keep the frames
    so far, in a finished file under the temporary name, when the conversion is interrupted (by should_stop or Ctrl+C)
    or fails; None keeps them only after a failure. Memory use is independent of the length. Raises MattecamError, and
    KeyboardInterrupt for Ctrl+C.
    """
    transparent = is_transparent(target, transparent)
    wanted = [path for path in (target, alpha, foreground) if path is not None]
    check_outputs(wanted, source)
    _check_nested(wanted)
    for taken in filter(None, (existing(source, path) for path in wanted)):
        if is_special(taken):
            raise UsageError(f"{taken} is a pipe or a device, which is not replaced; choose another name.")
        if not overwrite:
            raise exists_already([taken])
    orientation, check = settings.capture.orientation, frame_check(settings.matting)
    reader = _open_reader(source, lambda width, height: check(*orientation.size(width, height)), fps)
    timing = reader.timing  # before the first frame, whose exact time depends on those of all
    with ExitStack() as stack:
        stored = stack.enter_context(closing(reader.named_frames()))
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
            engine = stack.enter_context(closing(build_engine(settings.matting, width, height, settings.framing)))
        form = OutputFormat(
            (width, height),
            timing.rate,
            reader.time_base if timing.grid is None else None,
            timing.is_constant,
            reader.timecode,
            timing.leaps,
            reproducible,
            is_image=reader.is_image,
            is_video=isinstance(reader, VideoReader),
            overwrite=overwrite,
        )
        opened, problems = _open_outputs(source, (target, alpha, foreground), form, transparent=transparent)
        step = FilmStep(
            engine, background, settings, alpha is not None, foreground is not None, transparent=transparent
        )
        outputs = Outputs(opened)
        complete = _run(chain([first], frames), step, outputs, reader, progress, should_stop, keep_partial)
        written = _finish(outputs, complete, keep_partial, reader.end_s if complete else None)
    done, expected = outputs.frames, reader.frame_estimate
    cut = complete and reader.is_cut
    if cut:
        problems.append(
            f"{source} is cut off: {done} of {max(expected or 0, done + 1)} frames could be read; copy or download it "
            "again."
        )
    problems += reader.left_out(is_film=isinstance(opened[0], VideoWriter))
    if complete:
        progress(done, done)
    return ConvertReport(written or target, done, complete, tuple(problems), cut, expected)


def _check_nested(outputs: Sequence[Path]) -> None:
    """Raise UsageError if an output lies in another that is not yet a folder, and could not get its name in the end."""
    for path in outputs:
        around = next(
            (other for other in outputs if not is_folder(other) and resolved(other) in resolved(path).parents), None
        )
        if around is not None:
            raise UsageError(
                f"{path} lies in {around}, which is also an output; create that folder first, or choose another name."
            )


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
    keep_partial: bool | None,
) -> bool:
    """Write every frame to `outputs`; return whether all were written. After an error, finish or remove the outputs."""
    try:
        for time_s, name, image in frames:
            if should_stop():
                return False
            try:
                converted = step(image, float(time_s))
            except PlateError as error:
                raise PlateError(f"Image {name} of {reader.path}: {error.text}") from error
            outputs.write(converted, time_s, name)
            progress(outputs.frames, reader.frame_estimate)
    except MattecamError as error:
        if keep_partial is False:
            outputs.abort()
            raise
        written, failure = outputs.finish(complete=False)
        more = failure or (f"Frames kept in {written}: the first {outputs.frames}." if written else None)
        text = f"{error.text} {more}" if more else error.text
        raise type(error)(text) from error
    except BaseException as error:  # of a callback, or Ctrl+C
        failed = isinstance(error, Exception) and not isinstance(error, BrokenPipeError)  # nobody reads the progress
        _finish(outputs, False, keep_partial is not False if failed else keep_partial)
        raise
    return True


def _finish(outputs: Outputs, complete: bool, keep_partial: bool | None, end_s: Fraction | None = None) -> Path | None:
    """Finish or remove the outputs; return the composite, None if it was removed. Raises SinkLostError."""
    if not complete and not keep_partial:
        outputs.abort()
        return None
    written, failure = outputs.finish(complete=complete, keep=keep_partial is not False, end_s=end_s)
    if failure:
        raise SinkLostError(failure)
    return written


def _open_outputs(
    source: Path, paths: tuple[Path, Path | None, Path | None], form: OutputFormat, *, transparent: bool
) -> tuple[list[Output], list[str]]:
    """Return the outputs in the order of `FilmStep`, and what could not be copied. Raises SinkOpenError.

    paths: of composite, alpha and foreground; None for those not wanted.
    """
    opened: list[Output] = []
    problems: list[str] = []
    try:
        for path, crf in zip(paths, (VIDEO_CRF, MATTE_CRF, VIDEO_CRF), strict=True):
            if path is None:
                continue
            is_composite = path is paths[0]
            sound = source if is_composite and is_file(source) and not form.is_image else None
            has_alpha = is_composite and transparent
            try:
                opened.append(open_output(path, form, crf, sound, alpha=has_alpha))
            except SinkOpenError:
                if sound is None:
                    raise
                opened.append(open_output(path, form, crf, alpha=has_alpha))
                problems.append(f"The sound of {source} could not be taken over.")
    except SinkOpenError:
        for output in opened:
            output.abort()
        raise
    return opened, problems
