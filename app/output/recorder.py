"""Recording the output or the matte to a video file."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from app.core import geometry
from app.core.errors import SinkLostError, SinkOpenError, Text, t
from app.core.files import why_not_written
from app.core.types import Picture, PictureKind
from app.media.encoders import live_encoder
from app.media.recording_writer import RecordingWriter
from app.output.base import SinkContext
from app.output.recording import ConstantTimes, EncoderThread, FrameTimes, VariableTimes
from app.output.sound.microphone import Microphone, SoundTrack

log = logging.getLogger(__name__)


class Recorder:
    """Writes the composite with the sound of the microphone, or with `alpha` the matte in grey, as H.264.

    Frames are encoded on threads of a low priority; `send` never waits for it. The file has the size of the first
    composite: stand-by cards of another size before it are left out, and later frames of another size are letterboxed.
    Without a matte, a matte recording is black.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        context: SinkContext,
        *,
        alpha: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """width, height: pixels of the first picture. Raises SinkOpenError if the file cannot be written."""
        self.name = str(path)
        self._path = path
        self._alpha = alpha
        self._clock = clock
        self._context = context
        self._counts = context.counts
        self._last: Picture | None = None
        self._only_cards = True
        """Whether no composite has come yet."""
        self._closed = False
        self._microphone: Microphone | None = None
        self._track: SoundTrack | None = None
        output = context.settings().output
        self._encoder_name, self._is_constant = output.encoder, output.record_rate == "constant"
        self._has_sound = output.microphone != "off" and not alpha
        try:
            if not path.parent.is_dir():  # before encoders are tried, which takes a moment
                raise OSError(errno.ENOTDIR if path.parent.exists() else errno.ENOENT, "no folder")
            self._open(width, height)
        except OSError as error:
            raise SinkOpenError(
                t("The recording {file} cannot be started: {reason}.", file=path, reason=why_not_written(error))
            ) from error
        if self._has_sound:
            self._microphone = context.open_microphone()

    def _open(self, width: int, height: int) -> None:
        """Begin a file for frames of this size. Raises OSError."""
        rate = Fraction(self._context.fps).limit_denominator(1001)

        def open_writer() -> RecordingWriter:
            chosen = live_encoder(self._encoder_name, width + width % 2, height + height % 2, rate)
            if self._encoder_name not in ("auto", chosen.name):
                log.warning(
                    "%s",
                    t(
                        "The encoder {wanted} does not work on this computer; the recording uses {used}.",
                        wanted=self._encoder_name,
                        used=chosen.name,
                    ),
                )
            return RecordingWriter(self._path, width, height, rate, encoder=chosen, sound=self._has_sound)

        fill_rate, sound_for = rate if self._is_constant else None, self._sound_for if self._has_sound else None
        self._thread = EncoderThread(open_writer, self._image, self._context, fill_rate, sound_for)
        self._writer, self._size = self._thread.writer, (width, height)
        self._times: FrameTimes = ConstantTimes(rate) if self._is_constant else VariableTimes(self._context.fps)

    def _open_anew(self, width: int, height: int) -> None:
        """Begin the file again in another size, without the cards so far. Raises SinkLostError."""
        self._thread.finish()
        self._writer.abort()
        self._last = self._track = None
        try:
            self._open(width, height)
        except OSError as error:
            self._fail(error)

    def send(self, picture: Picture) -> None:
        """Append the frame. Raises SinkLostError if an earlier one could not be written; the file is finished then."""
        if self._closed:
            raise SinkLostError(t("The recording {file} is finished; start another one.", file=self.name))
        if self._thread.error is not None:
            self._fail(self._thread.error)
        if self._only_cards and picture.kind is not PictureKind.STANDBY:
            self._only_cards = False
            if picture.size != self._size:
                self._open_anew(*picture.size)
        now_s = self._clock()
        if self._track is None:  # the sound begins with the first frame
            self._track = SoundTrack(now_s if picture.frame is None else min(now_s, picture.frame.captured_at_s))
        time_s = self._times.next(picture, now_s)
        self._last = picture
        if time_s is not None:
            self._thread.put(picture, time_s)

    def close(self) -> None:
        """Finish the file, or remove it if it is empty. Idempotent.

        Raises SinkLostError if it cannot be finished, or got another name because its own was taken meanwhile.
        """
        if self._closed:
            return
        last, end_s = self._last, self._times.end(self._clock())
        if self._microphone is not None:
            self._microphone.close()
        if last is not None and end_s is not None:
            self._thread.put(last, end_s)
        self._thread.finish()
        if self._thread.error is not None:
            self._fail(self._thread.error)
        self._closed, self._last = True, None
        try:
            if last is None:
                self._writer.abort()
            else:
                if self._microphone is not None:
                    self._writer.write_sound(self._sound_for(self._writer.end_s, final=True))
                self._writer.close()
                self._counts.finish(self._writer.path)
        except OSError as error:
            raise SinkLostError(
                t(
                    "The recording could not be completed: {reason} ({kept}).",
                    reason=why_not_written(error),
                    kept=self._salvage(),
                )
            ) from error
        if str(self._writer.path) != self.name:
            raise SinkLostError(
                t(
                    "Another file {file} appeared during the recording, which is saved as {copy}.",
                    file=self.name,
                    copy=self._writer.path,
                )
            )

    def _sound_for(self, time_s: Fraction | float, final: bool = False) -> NDArray[np.int16]:
        """Return the samples that arrived up to the frame of this time; `final`: those up to the end of the file."""
        assert self._microphone is not None and self._track is not None  # frames come after the constructor
        return self._track.add(self._microphone.take(), float(time_s), final=final)

    def _image(self, picture: Picture) -> geometry.Image:
        if not self._alpha:
            image = picture.image
        elif picture.alpha is None:
            image = np.zeros(picture.image.shape[:2], np.uint8)
        else:
            image = picture.alpha
        return geometry.letterbox(image, *self._size)

    def _fail(self, error: Exception) -> NoReturn:
        """Finish what was written and raise the error that ended the encoder's thread or kept it from beginning."""
        kept = self._salvage()
        if isinstance(error, OSError):
            raise SinkLostError(
                t("The recording stopped: {reason} ({kept}).", reason=why_not_written(error), kept=kept)
            ) from error
        raise error

    def _salvage(self) -> Text:
        """Finish the file after a failure and return where it is."""
        self._closed, self._last = True, None
        if self._microphone is not None:
            self._microphone.close()
        self._thread.finish()
        with suppress(OSError):
            self._writer.close()
        file = self._writer.file
        if not file.exists():
            return t("nothing was recorded")
        self._counts.finish(file)
        return t("the recording so far is in {file}", file=file)
