"""What a conversion reads and writes beside videos: folders of images, and all outputs."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.core.errors import BackgroundError, ModelError, SinkLostError, SinkOpenError
from app.core.files import exists, is_folder, move, why_not_written
from app.core.types import BgrImage
from app.media.frame_filters import BgraImage
from app.media.image_file import (
    IMAGE_SUFFIXES,
    READ_SUFFIXES,
    first_frame_alone,
    first_names,
    others_in,
    others_left_out,
    picture_names,
    read_cut_out,
    write_picture,
)
from app.media.video_input import VideoError
from app.media.video_reader import Timing
from app.media.video_times import Grid, Leap
from app.media.video_writer import VideoWriter, create_numbered, create_temporary, file_encoder
from app.offline.targets import FRAME

log = logging.getLogger(__name__)

DEFAULT_FPS = Fraction(30)
"""Frame rate of a video of images."""
MAX_SIDE = 16_384
"""Larger images are downscaled to this."""


class ImageFolderReader:
    """The images of a folder in natural order of their names, 9 before 10; or a single image."""

    def __init__(
        self,
        path: Path,
        check_size: Callable[[int, int], object] = lambda width, height: None,
        fps: Fraction = DEFAULT_FPS,
    ) -> None:
        """check_size: raises ModelError for images that cannot be matted. fps: frame rate of a video of them.

        Raise VideoError if there is no image.
        """
        self.path, self.is_image = path, not is_folder(path)
        self.time_base, self.timecode, self.is_cut = 1 / fps, None, False
        self.end_s: Fraction | None = None
        """None: the last frame lasts as long as the others."""
        self.damaged: list[str] = []
        """Names of the images skipped so far: unreadable, or of an unsuitable size."""
        self._check_size = check_size
        self._names = {path: path.stem} if self.is_image else picture_names(path)
        if not self._names:
            raise VideoError(
                f"The folder {path} contains no images ({', '.join(READ_SUFFIXES)}), and folders in it are not "
                "searched for images or videos; name the folder that holds them."
            )
        self.frame_estimate: int | None = len(self._names)
        self.timing = Timing(fps, Grid(fps), len(self._names), Fraction(0), (), is_constant=True)

    def named_frames(self) -> Generator[tuple[Fraction, str, BgrImage | BgraImage], None, None]:
        """Yield (time in seconds, name, image as of `read_cut_out`) of every usable image; see `picture_names`.

        Raises BackgroundError or ModelError if a single image cannot be used; such an image of a folder is left out.
        """
        for number, (file, name) in enumerate(self._names.items()):
            image = self._read(file)
            if image is not None:
                yield number / self.timing.rate, name, image

    def left_out(self, *, is_film: bool) -> Iterator[str]:
        """Yield what was not converted."""
        if self.damaged:
            yield (
                f"Unreadable or unsuitable images in {self.path} were left out: {len(self.damaged)} "
                f"({', '.join(first_names(self.damaged))})."
            )
        if not self.is_image and (others := [file.name for file in others_in(self.path)]):
            yield others_left_out(self.path, others)
        if self.is_image and (told := first_frame_alone(self.path)):
            yield told

    def _read(self, file: Path) -> BgrImage | BgraImage | None:
        try:
            image = read_cut_out(file, MAX_SIDE)
            self._check_size(image.shape[1], image.shape[0])
        except (BackgroundError, ModelError) as error:
            if file == self.path:
                raise
            self.damaged.append(file.name)
            log.warning("%s", error if isinstance(error, BackgroundError) else f"{file}: {error}")
            return None
        return image


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """Format that all outputs share."""

    size: tuple[int, int]
    """(width, height) of a video; frames of another size are letterboxed."""
    fps: Fraction
    time_base: Fraction | None
    """Time base of the source; None for one that fits `fps`."""
    is_constant: bool = True
    """Whether all frames are spaced alike."""
    timecode: str | None = None
    """SMPTE timecode of the first frame."""
    leaps: Sequence[Leap] = ()
    """Of the clock of the source."""
    reproducible: bool = False
    """Write the same bytes for the same frames on every machine, at the cost of speed."""
    is_image: bool = False
    """The source is a single image."""
    is_video: bool = False
    """The source is a video: its frames in a folder are named by their number."""
    overwrite: bool = False
    """Replace files of the final names when the outputs are complete; by frames of a video, those of all its frames."""


class FolderOutput:
    """Writes every frame as a PNG file, into a temporary folder until all frames are there.

    The temporary folder is `name.part` beside a new folder, and `.part` in a folder that already exists.
    """

    def __init__(self, path: Path, *, overwrite: bool, is_video: bool) -> None:
        """Raises OSError."""
        self.path = path
        self._overwrite, self._is_video = overwrite, is_video
        self._existed = is_folder(path)
        if not self._existed and os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path / ".part" if self._existed else path.with_name(f"{path.name}.part")
        self.temporary_path = create_numbered(part, folder=True)

    def write(self, image: NDArray[np.uint8], name: str) -> None:
        """Write `name`.png. Raises OSError."""
        write_picture(self.temporary_path / f"{name}.png", image)

    def close(self, *, complete: bool, end_s: Fraction | None = None) -> Path:
        """Move the images to the folder and return it; if they are not complete, return the temporary folder.

        Raises OSError.
        """
        if not complete:
            return self.temporary_path
        if not self._existed:
            return self.temporary_path.rename(self.path)
        written = {image.name for image in self.temporary_path.iterdir()}
        move_images(self.temporary_path, self.path, overwrite=self._overwrite)
        if self._overwrite and self._is_video:  # of a longer film, to which these would seem to belong
            for image in self.path.iterdir():
                if FRAME.fullmatch(image.name) and image.name not in written:
                    image.unlink()
        return self.path

    def abort(self) -> None:
        """Remove the images written so far, also if they could not be completed."""
        shutil.rmtree(self.temporary_path, ignore_errors=True)


class ImageOutput:
    """Writes a single image in the format of its suffix."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        """Raises OSError."""
        self.path = path
        self._overwrite = overwrite
        self.temporary_path = create_temporary(path)

    def write(self, image: NDArray[np.uint8], name: str) -> None:
        """Write the image. Raises OSError."""
        write_picture(self.temporary_path, image)

    def close(self, *, complete: bool, end_s: Fraction | None = None) -> Path:
        """Move the image to its name and return it; return the temporary file of an incomplete one. Raises OSError."""
        if not complete:
            return self.temporary_path
        move(self.temporary_path, self.path, overwrite=self._overwrite)
        return self.path

    def abort(self) -> None:
        """Remove the image."""
        self.temporary_path.unlink(missing_ok=True)


Output = FolderOutput | ImageOutput | VideoWriter


class Outputs:
    """All outputs of one conversion. Failures are reported as sentences; what is written so far is finished."""

    def __init__(self, outputs: Iterable[Output]) -> None:
        self._outputs = list(outputs)
        self.frames = 0
        self._reported = False
        """Whether it was said why a file cannot be written."""

    def write(self, images: Iterable[NDArray[np.uint8]], time_s: Fraction, name: str) -> None:
        """Write one image to each output. Raises SinkLostError."""
        output = None
        try:
            for output, image in zip(self._outputs, images, strict=True):
                if isinstance(output, VideoWriter):
                    output.write(image, time_s)
                else:
                    output.write(image, name)
        except OSError as error:
            assert output is not None
            self._reported = True
            raise SinkLostError(f"The conversion stopped at {output.path}: {why_not_written(error)}.") from error
        self.frames += 1

    def abort(self) -> None:
        """Remove what was written."""
        for output in self._outputs:
            output.abort()

    def finish(
        self, *, complete: bool, keep: bool = True, end_s: Fraction | None = None
    ) -> tuple[Path | None, str | None]:
        """Finish every output, or remove it if nothing was written. keep: keep what cannot be completed.

        end_s: when the last frame of a video ends; None after one frame interval.

        Return the file or folder of the composite, None if there is none, and a text on the first output that could not
        be completed.
        """
        finished = [self._finish(output, complete, keep, end_s) for output in self._outputs]
        return finished[0][0], next((failure for _, failure in finished if failure), None)

    def _finish(
        self, output: Output, complete: bool, keep: bool, end_s: Fraction | None
    ) -> tuple[Path | None, str | None]:
        if not self.frames:
            output.abort()
            return None, None
        try:
            return output.close(complete=complete, end_s=end_s), None
        except OSError as error:
            text = f"{output.path} could not be completed: {why_not_written(error)}."
            if not keep or not exists(output.temporary_path):  # such as in a folder that was removed
                output.abort()
                return None, text
            left = f"What was written is in {output.temporary_path}."
            return None, left if self._reported else f"{text} {left}"


def open_output(
    path: Path, form: OutputFormat, crf: int, audio_from: Path | None = None, *, alpha: bool = False
) -> Output:
    """Open a folder if the name has no suffix or is an existing folder, otherwise an image or a video.

    crf, alpha: as of `file_encoder`. audio_from: the film whose sound is copied. Raises SinkOpenError.
    """
    try:
        if is_folder(path) or not path.suffix:
            return FolderOutput(path, overwrite=form.overwrite, is_video=form.is_video)
        if form.is_image and path.suffix.lower() in IMAGE_SUFFIXES:
            return ImageOutput(path, overwrite=form.overwrite)
        return VideoWriter(
            path,
            *form.size,
            form.fps,
            time_base=form.time_base,
            audio_from=audio_from,
            leaps=form.leaps,
            encoder=file_encoder(crf, path.suffix.lower(), alpha=alpha),
            is_constant=form.is_constant,
            timecode=form.timecode,
            reproducible=form.reproducible,
        )
    except OSError as error:
        raise SinkOpenError(f"{path} cannot be written: {why_not_written(error)}.") from error


def move_images(folder: Path, target: Path, *, overwrite: bool) -> None:
    """Move images into an existing folder, whose other files stay, and remove the emptied one. Raises OSError."""
    for image in sorted(folder.iterdir()):
        move(image, target / image.name, overwrite=overwrite)
    folder.rmdir()
