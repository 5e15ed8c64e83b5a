"""What the names of a conversion stand for, and what it reads and writes: folders of images,
images and videos.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.backgrounds.kinds import VIDEO_SUFFIXES
from app.core.errors import BackgroundError, ModelError, SinkLostError, SourceOpenError, UsageError
from app.core.files import (
    MOST_NAME_BYTES,
    cut,
    exists,
    is_file,
    is_folder,
    is_taken,
    why_not_read,
    why_not_written,
    write_error,
)
from app.core.geometry import is_alike
from app.core.types import BgrImage
from app.core.unfinished import move_finished, unfinished_folder
from app.media.container import VideoError
from app.media.encoders import ALPHA_SUFFIXES
from app.media.film_labels import NO_LABELS
from app.media.frame_filters import BgraImage
from app.media.image_file import (
    IMAGE_SUFFIXES,
    JPEG_FILMS,
    READ_SUFFIXES,
    further_frames,
    is_picture,
    read_cut_out,
    reading_note,
    unknown_format,
    write_picture,
)
from app.media.image_folder import first_names, others_in, others_left_out, picture_names
from app.media.video_reader import FilmTimes, Grid, broadcast_rate, simple_rate
from app.media.video_writer import FILM_SUFFIXES, SUFFIXES, VideoWriter

_CONTAINERS = (
    ".3g2 .3gp .apng .asf .dv .f4v .flv .m2ts .m2v .mod .mpeg .mpg .mts .mxf .ogv .qt .tod .ts "
    ".vob .webm .wmv .y4m"
).split()
_BARE_STREAMS = ".264 .265 .avc .h264 .h265 .hevc .ivf .obu".split()
VIDEOS = VIDEO_SUFFIXES | {*_CONTAINERS, *_BARE_STREAMS, *JPEG_FILMS}
VIDEOS_AND_IMAGES = (*VIDEOS, *READ_SUFFIXES)
# Name of a frame in a folder of frames of a video.
FRAME = re.compile(r"\d{6,}\.png")
# A number, or a fraction of two.
RATE = re.compile(r"[\d.]{1,40}(/\d{1,40})?")
# Images that are written with alpha.
CLEAR_IMAGES = (".png", ".webp", ".tif", ".tiff")
# Of a film of images.
LOWEST_FPS = Fraction(1, 100)
HIGHEST_FPS = 1000
# A decimal number that differs by less stands for a rate such as 24000/1001.
BROADCAST_FPS = Fraction(1, 200)
MOST_NAMED_FILES = 3
SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))


def check_names(names: Iterable[str]) -> None:
    """Raise UsageError for what no file can be called, or would be taken for the current folder
    or a stream.
    """
    for name in names:
        try:
            is_possible = name.strip() not in ("", "-") and b"\0" not in os.fsencode(name)
        except UnicodeEncodeError:
            is_possible = False
        if not is_possible:
            raise UsageError(
                f"{name!r} does not stand for a file, a folder or a stream; name a file or a "
                "folder.",
            )


def frame_rate(value: str | float | Fraction) -> Fraction:
    """Return a frame rate as a fraction: 29.97 means 30000/1001.

    Raises UsageError for one that is not possible.
    """
    text = str(value).strip()
    rate = Fraction(0)
    # A number such as 1e99999999 would be worked out first.
    if RATE.fullmatch(text):
        with suppress(ValueError, ZeroDivisionError):
            rate = Fraction(text)
    if not LOWEST_FPS <= rate <= HIGHEST_FPS:
        raise UsageError(
            f"“{value}” is no frame rate; write a number from {float(LOWEST_FPS)} to "
            f"{HIGHEST_FPS}, such as 25, 29.97 or 24000/1001."
        )
    broadcast = broadcast_rate(rate)
    is_decimal = rate.denominator not in (1, 1001)
    if is_decimal and abs(rate - broadcast) < BROADCAST_FPS:
        return broadcast
    return simple_rate(rate)


def names_image(output: Path) -> bool:
    """Return whether an output has the name of an image."""
    return output.suffix.lower() in IMAGE_SUFFIXES


def film_name(clip: str, transparent: bool | None = None) -> str:
    """Return the name of the film, or of the PNG image, that is made of a clip, without its folder.

    transparent: as of `is_transparent`.
    """
    path = Path(clip)
    suffix = path.suffix.lower()
    if is_picture(path):
        suffix = ".png"
    elif transparent and suffix not in ALPHA_SUFFIXES:
        suffix = ".mov"
    elif not transparent and suffix not in SUFFIXES:
        suffix = ".mp4"
    # That of the clip may be shorter, or missing.
    return cut(path.stem, MOST_NAME_BYTES - len(suffix)) + suffix


def is_transparent(target: Path, wanted: bool | None) -> bool:
    """Return whether a composite is written with alpha.

    wanted: None where nobody has said so: then pictures are (PNG, WebP, TIFF, folders of frames),
    JPEG and films not. Raises UsageError for a file that cannot be.
    """
    suffix = "" if is_folder(target) else target.suffix.lower()
    is_clear_image = not suffix or suffix in CLEAR_IMAGES
    if wanted is None:
        return is_clear_image
    if wanted and not is_clear_image and suffix not in ALPHA_SUFFIXES:
        kinds = ", ".join([*CLEAR_IMAGES, *ALPHA_SUFFIXES])
        raise UsageError(
            f"{target} cannot be transparent; name a file of another kind ({kinds}) or a folder "
            "for PNG images.",
        )
    return wanted


def single_output(source: Path, name: str, transparent: bool | None = None) -> Path:
    """Return the path of an output of a single conversion.

    A video or an image goes under its own name into a folder that exists or whose name ends in a
    slash; but a folder that holds frames gets frames of a video. transparent: as of
    `is_transparent`.

    Raises UsageError if the name is not that of a video or folder, of an image or folder for an
    image; SinkOpenError if the folder cannot be created.
    """
    path = Path(name)
    is_folder_source = is_folder(source)
    is_photo = not is_folder_source and is_picture(source)
    if not is_folder_source:
        if name.endswith(SEPARATORS) and not exists(path):
            if exists(source):
                _create(path)
            return path / film_name(str(source), transparent)
        if is_folder(path) and (is_photo or not exists(path / "000000.png")):
            return path / film_name(str(source), transparent)
    if is_photo:
        if not names_image(path):
            raise UsageError(
                f"{source} is an image, and {name} is no name of one; name an image such as "
                "out.png, or a folder.",
            )
    elif names_image(path) and is_file(source) and source.suffix.lower() not in VIDEOS:
        raise UsageError(unknown_format(source))
    elif path.suffix and path.suffix.lower() not in FILM_SUFFIXES and not is_folder(path):
        raise UsageError(
            f"{name} is not the name of a video; name a video ({', '.join(FILM_SUFFIXES)}) or, "
            "for PNG images, a folder."
        )
    return path


def existing(source: Path, output: Path) -> Path | None:
    """Return a file that a conversion to `output` would replace, None without one.

    An empty file does not count.
    """
    if not is_folder(output):
        return output if is_taken(output) else None
    written_names = None
    if is_folder(source):
        written_names = {f"{name}.png" for name in picture_names(source).values()}
    for file in sorted(output.iterdir()):
        if written_names is None:
            is_replaced = FRAME.fullmatch(file.name) is not None
        else:
            is_replaced = file.name in written_names
        if is_replaced:
            return file
    return None


def check_folder(name: str) -> None:
    """Raise UsageError if the name of a folder for several films is one of a file."""
    path = Path(name)
    if is_folder(path) or name.endswith(SEPARATORS):
        return
    if exists(path) or names_image(path) or path.suffix.lower() in VIDEOS:
        raise UsageError(
            f"{name} is not a folder; several clips, a folder of videos, addresses such as "
            "s3://films, --jobs, --resume and --cluster need a folder for the results."
        )


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        text = f"{folder} cannot be written: {why_not_written(error)}."
        raise write_error(error)(text) from error


def exists_already(files: Sequence[Path | str]) -> UsageError:
    """Return the error for files that would be replaced."""
    names = first_names([str(file) for file in files], MOST_NAMED_FILES)
    return UsageError(
        f"{', '.join(names)} exists already; add --overwrite to replace it, or choose another name.",
    )


def rate_without_folder(source: Path | str) -> UsageError:
    """Return the error for a frame rate that is chosen for a video or an image."""
    return UsageError(
        f"{source} is no folder of images, whose frame rate could be chosen; leave --fps out.",
    )


def not_read(source: Path | str, error: OSError) -> SourceOpenError:
    """Return the error for a source that the system does not let us read."""
    return SourceOpenError(
        f"{source} cannot be read: {why_not_read(error)}; check its name and permissions, or "
        "choose another one.",
    )


log = logging.getLogger(__name__)

# Of a video of images.
DEFAULT_FPS = Fraction(30)
# Larger images are downscaled to this.
MAX_SIDE = 16_384


class ImageFolderReader:
    """The images of a folder in natural order of their names, 9 before 10; or a single image."""

    def __init__(
        self,
        path: Path,
        check_size: Callable[[int, int], object] = lambda width, height: None,
        fps: Fraction = DEFAULT_FPS,
    ) -> None:
        """check_size: raises ModelError for images that cannot be matted.

        fps: frame rate of a video of them.
        Raise VideoError if there is no image.
        """
        self.path = path
        self.is_image = not is_folder(path)
        self.time_base = 1 / fps
        self.labels = NO_LABELS
        self.is_cut = False
        # None: the last frame lasts as long as the others.
        self.end_s: Fraction | None = None
        # Names of the images skipped so far: unreadable, or of an unsuitable size.
        self.damaged: list[str] = []
        # Size of the first image, which a film of them has.
        self._size: tuple[int, int] | None = None
        # Images of another shape so far, and names of files with more than one.
        self._reshaped = 0
        self._several: list[str] = []
        self._check_size = check_size
        self._names = {path: path.stem}
        if not self.is_image:
            self._names = picture_names(path)
        if not self._names:
            suffixes = ", ".join(READ_SUFFIXES)
            raise VideoError(
                f"The folder {path} contains no images ({suffixes}), and folders in it are not "
                "searched for images or videos; name the folder that holds them."
            )
        self.frame_estimate: int | None = len(self._names)
        self.timing = FilmTimes(fps, Grid(fps), len(self._names), Fraction(0), (), is_constant=True)

    def named_frames(self) -> Generator[tuple[Fraction, str, BgrImage | BgraImage], None, None]:
        """Yield (time in seconds, name, image as of `read_cut_out`) of every usable image; see
        `picture_names`.

        Raises BackgroundError or ModelError if a single image cannot be used; such an image of a
        folder is left out.
        """
        for number, (file, name) in enumerate(self._names.items()):
            image = self._read(file)
            if image is not None:
                yield number / self.timing.rate, name, image

    def left_out(self, *, is_film: bool) -> Iterator[str]:
        """Yield what was not converted."""
        if self.damaged:
            names = ", ".join(first_names(self.damaged))
            yield (
                f"Unreadable or unsuitable images in {self.path} were left out: "
                f"{len(self.damaged)} ({names})."
            )
        if self.is_image:
            note = reading_note(self.path)
            if note:
                yield note
            return
        if self._reshaped and is_film:
            yield (
                f"Images of {self.path} that have another shape than the first one were given "
                f"black bars: {self._reshaped}."
            )
        if self._several:
            names = ", ".join(first_names(self._several))
            yield (
                f"Only the first image of these files in {self.path} was converted: "
                f"{len(self._several)} ({names}); save them as videos or GIF to convert the others."
            )
        others = [file.name for file in others_in(self.path)]
        if others:
            yield others_left_out(self.path, others)

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
        if not self.is_image:
            self._note(file, (image.shape[1], image.shape[0]))
        return image

    def _note(self, file: Path, size: tuple[int, int]) -> None:
        """Note what of an image of a folder will not be in a film, or is not read."""
        if self._size is None:
            self._size = size
        if not is_alike(size, self._size):
            self._reshaped += 1
        if further_frames(file):
            self._several.append(file.name)


class PictureOutput:
    """Writes every frame as a PNG file, or a single image in the format of its suffix.

    They lie in a temporary folder until all are there (`app.core.unfinished`).
    """

    def __init__(
        self,
        path: Path,
        *,
        overwrite: bool,
        is_image: bool = False,
        is_video: bool = False,
    ) -> None:
        """is_image: whether `path` is that of a single image.

        is_video: of the source. Raises OSError.
        """
        self.path = path
        self._overwrite = overwrite
        self._is_image = is_image
        self._is_video = is_video
        if not is_image:
            if not is_folder(path) and os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
            path.parent.mkdir(parents=True, exist_ok=True)
        self.temporary_path = unfinished_folder(path)

    def write(self, image: NDArray[np.uint8], name: str) -> None:
        """Write the image, or `name`.png. Raises OSError."""
        file_name = self.path.name if self._is_image else f"{name}.png"
        write_picture(self.temporary_path / file_name, image, private=False)

    def close(self, *, complete: bool, end_s: Fraction | None = None) -> Path:
        """Move what was written to its place and return that; if it is not complete, return the
        temporary folder.

        Raises OSError.
        """
        if not complete:
            return self.temporary_path
        written = {image.name for image in self.temporary_path.iterdir()}
        folder = self.path.parent if self._is_image else self.path
        move_finished(self.temporary_path, folder, overwrite=self._overwrite)
        if self._overwrite and self._is_video:
            # Of a longer film, to which these frames would seem to belong.
            for image in folder.iterdir():
                if FRAME.fullmatch(image.name) and image.name not in written:
                    image.unlink()
        return self.path

    def abort(self) -> None:
        """Remove the images written so far, also if they could not be completed."""
        shutil.rmtree(self.temporary_path, ignore_errors=True)


Output = PictureOutput | VideoWriter


class Outputs:
    """All outputs of one conversion.

    Failures are reported as sentences; what is written so far is finished.
    """

    def __init__(self, outputs: Iterable[Output]) -> None:
        self._outputs = list(outputs)
        self.frames = 0
        self._reported = False  # why a file cannot be written

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
            text = f"The conversion stopped at {output.path}: {why_not_written(error)}."
            raise SinkLostError(text) from error
        self.frames += 1

    def finish(
        self,
        *,
        complete: bool,
        keep: bool,
        end_s: Fraction | None = None,
    ) -> tuple[Path | None, str | None]:
        """Finish every output, or remove it if nothing was written.

        keep: keep what is not, or cannot be, complete.
        end_s: when the last frame of a video ends; None after one frame interval.

        Return the file or folder of the composite, None without one, and a text on the first output
        that is incomplete.
        """
        files = []
        failures = []
        # Each of them, also after one has failed.
        for output in self._outputs:
            file, failure = self._finish(output, complete, keep, end_s)
            files.append(file)
            if failure:
                failures.append(failure)
        return files[0], failures[0] if failures else None

    def _finish(
        self, output: Output, complete: bool, keep: bool, end_s: Fraction | None
    ) -> tuple[Path | None, str | None]:
        failure = None
        if self.frames and (complete or keep):
            try:
                return output.close(complete=complete, end_s=end_s), None
            except OSError as error:
                failure = f"{output.path} could not be completed: {why_not_written(error)}."
                # It may have lain in a folder that was removed.
                if keep and exists(output.temporary_path):
                    kept = f"What was written is in {output.temporary_path}."
                    if self._reported:
                        return None, kept
                    return None, f"{failure} {kept}"
        output.abort()
        return None, failure
