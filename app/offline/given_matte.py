"""A matte that the user gives beside a film, in place of a network: reading it, and the engine that
shows it.

Other programs make such mattes: SAM 2 writes masks of 0 and 255, one PNG image for each frame,
MatAnyone and Resolve write films, or images with alpha. They are taken as they are; only where a
mask steps from one pixel to the next, as no lens shows an edge, the guided filter draws it along
the edges of the frame. Edge controls, effects, foreground colours and outputs are the same as with
a network.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.errors import (
    BackgroundError,
    MattecamError,
    SourceLostError,
    SourceOpenError,
    UsageError,
    counted,
)
from app.core.files import is_folder
from app.core.geometry import framed
from app.core.types import AlphaImage, BgrImage, Bytes, Floats
from app.matting.cpu.cpu_backend import Coefficients, CpuBackend
from app.matting.engine import FrameEngine
from app.matting.interface import StepGeometry, auto_ratio
from app.matting.kernels.network import fast_filter_rows, shrink_rows
from app.media.frame_filters import BgraImage
from app.media.image_file import is_picture, read_matte
from app.media.image_folder import pictures_in
from app.media.video_reader import VideoReader
from app.offline.files import ImageFolderReader, not_read
from app.settings import Settings

# Of the engine, where that of a network would be.
NAME = "matte"
# An edge is a step where neighbouring pixels differ by more than so many of 255 levels.
STEP_LEVELS = 200
# Of the guided filter: variance of the frame, of 0..1, below which it draws no edge.
EPSILON = 1e-4
# Radii, as shares of the short side, within which colours of person and room are looked for.
NEAR = 1 / 60
WIDE = 1 / 12
# The wide means count where the near ones hold little.
WIDE_WEIGHT = 0.1
# Power of alpha in the weights of the means, so that mixtures hardly count. With it and the radii,
# colours of soft edges of 20 cut-outs differ by 3.0 levels times alpha from the true ones; by 7
# with the first power, and by 13 in the frame.
PURE = 8
# Sums of weights below this are rounding.
LEAST_WEIGHT = np.float32(1e-12)
# A matte that is nowhere brighter shows nobody.
BLACK_LEVEL = 8

# Time in seconds, name of its file, image: with alpha where it is not opaque.
NamedFrame = tuple[Fraction, str, BgrImage | BgraImage]
Reader = VideoReader | ImageFolderReader


class GivenMattes:
    """The mattes of a film or a folder of images, one for each frame of a source.

    Used on one thread.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        """settings: with the turn and the crop of the frames, which the mattes share.

        Raises MattecamError if the matte cannot be read.
        """
        self.path = path
        # Of the last frame of `beside`, turned and cropped as the frame is.
        self.alpha: AlphaImage = np.empty((0, 0), np.uint8)
        self.brightest = 0  # value of all mattes so far
        self._settings = settings
        # Whether alpha is the matte, and not what the images show; None before the first one.
        self._has_alpha: bool | None = None
        self._film: VideoReader | None = None
        self._images: list[Path] = []
        try:
            if not path.exists():
                raise SourceOpenError(f"There is no file or folder {path}; check the name.")
            if is_folder(path):
                self._images = pictures_in(path)
            elif is_picture(path):
                self._images = [path]
            else:
                self._film = VideoReader(path, with_alpha=True)
        except OSError as error:
            raise not_read(path, error) from error
        if self._film is None and not self._images:
            raise SourceOpenError(
                f"The folder {path} contains no images; name the folder that holds the matte.",
            )

    def check_count(self, source: Reader) -> None:
        """Raise UsageError if the files tell that the matte has more or fewer frames than the
        source.
        """
        own: int | None = len(self._images)
        if self._film is not None:
            own = self._film.counted_frames
        if isinstance(source, ImageFolderReader):
            frames = source.frame_estimate
        else:
            frames = source.counted_frames
        if own is None or frames is None or own == frames:
            return
        raise UsageError(
            f"The matte {self.path} has {counted(own, 'frame')}, but {source.path} has {frames}; "
            "make one for each frame of the source."
        )

    def beside(
        self,
        frames: Iterator[NamedFrame],
        source: Reader,
    ) -> Generator[NamedFrame, None, None]:
        """Yield the frames of a source, and set `alpha` for each. frames: as the files hold them.

        Raises MattecamError for a matte that cannot be read, or is of another size or number than
        the frames.
        """
        number = 0
        with closing(self._read()) as mattes:
            for number, (time_s, name, image) in enumerate(frames, 1):
                matte = next(mattes, None)
                # What is left out on one side would give every later frame the matte of another.
                self._check_whole(source)
                if matte is None:
                    raise SourceLostError(
                        f"The matte {self.path} ends after {counted(number - 1, 'frame')}, but "
                        f"{source.path} goes on; make one for each frame of the source."
                    )
                if matte.shape != image.shape[:2]:
                    raise self._differs_in_size(matte, image, name, source, is_first=number == 1)
                self.brightest = max(self.brightest, int(matte.max()))
                upright = self._settings.capture.orientation.upright(matte)
                self.alpha = framed(upright, self._settings.framing)
                yield time_s, name, image
            self._check_whole(source)
            if next(mattes, None) is not None:
                raise SourceLostError(
                    f"The matte {self.path} goes on after the {counted(number, 'frame')} of "
                    f"{source.path}; make one for each frame of the source."
                )

    def problems(self) -> Iterator[str]:
        """Yield what the user may not have meant, once all mattes were read."""
        if self.brightest <= BLACK_LEVEL:
            yield (
                f"The matte {self.path} is black throughout (brightest value: {self.brightest} of "
                "255), so that nobody is shown; write people in white."
            )

    def _check_whole(self, source: Reader) -> None:
        for reader in (source, self._film):
            if reader is not None and reader.damaged:
                raise SourceLostError(
                    f"A part of {reader.path} is damaged, so that the frames after it and their "
                    "mattes no longer belong together; export it again."
                )

    def _differs_in_size(
        self,
        matte: AlphaImage,
        image: NDArray[np.uint8],
        name: str,
        source: Reader,
        *,
        is_first: bool,
    ) -> MattecamError:
        """Return the error for a matte of another size: nothing has been written yet if it is
        the first one.
        """
        kind = UsageError if is_first else SourceLostError
        height, width = image.shape[:2]
        return kind(
            f"The matte {self.path} has {matte.shape[1]}×{matte.shape[0]} pixels, but frame "
            f"{name} of {source.path} has {width}×{height}; write the matte in the size of the "
            "source."
        )

    def _read(self) -> Generator[AlphaImage, None, None]:
        if self._film is not None:
            for _, image in self._film.frames():
                alpha = image[..., 3] if image.shape[2] == 4 else None
                yield self._chosen(_grey(image), alpha)
            return
        for number, file in enumerate(self._images, 1):
            try:
                grey, alpha = read_matte(file)
            except BackgroundError as error:
                if number == 1:  # nothing was written yet: the matte is named wrongly
                    raise
                raise SourceLostError(error.text) from error
            yield self._chosen(grey, alpha)

    def _chosen(self, grey: AlphaImage, alpha: AlphaImage | None) -> AlphaImage:
        """Return the alpha of an image with transparent parts, otherwise what it shows.

        alpha: None for an opaque image, which may be one of a film of cut-outs that has transparent
        ones.

        Raises SourceLostError for transparent parts after images without: those may have been
        cut-outs, too, and were not taken for them.
        """
        if self._has_alpha is None:
            self._has_alpha = alpha is not None
        if alpha is not None:
            if not self._has_alpha:
                raise SourceLostError(
                    f"The matte {self.path} has transparent parts, but not from its first frame "
                    "on, so that it is unclear what its frames mean; write it without alpha.",
                )
            return alpha
        if self._has_alpha:
            # A cut-out without a transparent part.
            return np.full_like(grey, 255)
        return grey


def _grey(image: NDArray[np.uint8]) -> AlphaImage:
    colours = np.ascontiguousarray(image[..., :3])
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY), np.uint8)


def matte_engine(mattes: GivenMattes, width: int, height: int) -> FrameEngine:
    """Return an engine that shows `mattes.alpha` in each step.

    Strict mode hides what a network mistakes for people; a matte that somebody gives says who is
    shown.
    """

    def full_size(frame_width: int, frame_height: int) -> StepGeometry:
        return StepGeometry(frame_width, frame_height, 1.0)

    def make_backend(geometry: StepGeometry) -> MatteBackend:
        return MatteBackend(mattes, geometry)

    return FrameEngine(
        NAME,
        make_backend,
        full_size,
        width,
        height,
        strict_mode=False,
    )


class MatteBackend(CpuBackend):
    """Gives the coefficients of a matte, in the size of the frame, so that alpha is the matte to
    the bit.
    """

    name = NAME

    def __init__(self, mattes: GivenMattes, geometry: StepGeometry) -> None:
        super().__init__(geometry, "float32")
        self._mattes = mattes

    def infer(self, frame: BgrImage, steady: bool = False) -> Coefficients:
        """Return the coefficients of the frame with the matte; see `CpuBackend.infer`."""
        small = self._shrunk(frame, 1.0)
        alpha: Floats = self._mattes.alpha.astype(np.float32) * np.float32(1 / 255)
        near_steps = _near_steps(self._mattes.alpha)
        if near_steps is not None:
            alpha += near_steps * (self._filtered(frame, small, alpha) - alpha)
        slope = np.zeros((4, *alpha.shape), np.float32)
        offset = np.empty_like(slope)
        offset[:3] = person_colours(small, alpha) - small
        offset[3] = alpha
        return Coefficients(small, slope, offset, alpha)

    def _shrunk(self, frame: BgrImage, ratio: float) -> Floats:
        """Return the frame as networks see it: (3, h, w) RGB in 0..1."""
        height, width = frame.shape[:2]
        small = np.empty((3, int(height * ratio), int(width * ratio)), np.float32)
        self.strips.run(small.shape[1], shrink_rows, frame, ratio, ratio, small)
        return small

    def _filtered(self, frame: BgrImage, full: Floats, alpha: Floats) -> Floats:
        """Return alpha (H, W) along the edges of the frame: by the guided filter, at the size of
        most networks.
        """
        height, width = alpha.shape
        small = self._shrunk(frame, auto_ratio(width, height))
        small_height, small_width = small.shape[1:]
        matte = np.zeros((4, small_height, small_width), np.float32)
        matte[3] = cv2.resize(alpha, (small_width, small_height), interpolation=cv2.INTER_AREA)
        slope = np.empty_like(matte)
        offset = np.empty_like(matte)
        coarse = np.empty((1, small_height, small_width), np.float32)
        self.strips.run(
            small_height,
            fast_filter_rows,
            small,
            matte,
            EPSILON,
            True,
            slope,
            offset,
            coarse,
            0,
        )
        # Alpha is linear in the frame (fast guided filter): the coefficients are enlarged.
        alpha_slope = cv2.resize(slope[3], (width, height))
        alpha_offset = cv2.resize(offset[3], (width, height))
        filtered = alpha_slope * full.mean(axis=0) + alpha_offset
        return np.asarray(np.clip(filtered, 0, 1), np.float32)


def _near_steps(matte: Bytes) -> Floats | None:
    """Return how near to a step each pixel of a matte (H, W) lies, in 0..1; None if it has no
    step.
    """
    values = matte.astype(np.int16)
    steps = np.zeros(matte.shape, np.uint8)
    across = np.abs(np.diff(values, axis=1)) > STEP_LEVELS
    down = np.abs(np.diff(values, axis=0)) > STEP_LEVELS
    steps[:, 1:] |= across
    steps[1:] |= down
    if not steps.any():
        return None
    # As far as the guided filter sees: pixels of its small frame, three in a row.
    reach = max(1, round(1.5 / auto_ratio(matte.shape[1], matte.shape[0])))
    side = 2 * reach + 1
    around = np.asarray(cv2.dilate(steps, np.ones((side, side), np.uint8)), np.float32)
    return np.asarray(cv2.blur(around, (side, side)), np.float32)


def person_colours(image: Floats, alpha: Floats) -> Floats:
    """Return the colours of the person, (3, H, W) in 0..1.

    image: (3, H, W) in 0..1; alpha: (H, W) in 0..1. A pixel at the edge is a mixture of the person
    and the room. Both are first taken as means around it, of the pixels that belong to one of them;
    what the mixture of the means leaves unexplained is the person's as far as alpha says.
    """
    person = _means(image, alpha**PURE)
    room = _means(image, (1 - alpha) ** PURE)
    explained = alpha * person + (1 - alpha) * room
    return np.asarray(np.clip(person + alpha * (image - explained), 0, 1), np.float32)


def _means(image: Floats, weights: Floats) -> Floats:
    """Return means of an image around each pixel, (3, H, W): near ones, and wide ones where
    these hold nothing.
    """
    short_side = min(weights.shape)
    weighted = [plane * weights for plane in image]
    sums = np.zeros((4, *weights.shape), np.float32)
    for share, weight in ((NEAR, 1.0), (WIDE, WIDE_WEIGHT)):
        side = 2 * max(1, round(share * short_side)) + 1
        for total, plane in zip(sums, [*weighted, weights], strict=True):
            blurred = np.asarray(cv2.blur(plane, (side, side)), np.float32)
            total += np.float32(weight) * blurred
    return np.asarray(sums[:3] / np.maximum(sums[3], LEAST_WEIGHT), np.float32)
