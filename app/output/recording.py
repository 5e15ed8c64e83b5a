"""Recording the output or the matte to a video file: times of its frames, the encoder's thread,
the sink.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from app.core.errors import SinkLostError, Stage, Text, UsageError, close_unused, t
from app.core.files import same_file, why_not_written, write_error
from app.core.threads import lower_priority, on_own_thread
from app.core.types import Picture, PictureKind
from app.core.worker import Worker
from app.media.encoders import live_encoder
from app.media.recording_writer import RecordingWriter
from app.media.video_writer import SUFFIXES
from app.output.base import FrameSink, RecordingProgress, SinkContext
from app.output.interrupted import RecordingNote
from app.output.sound import Microphone, SoundTrack

log = logging.getLogger(__name__)


# An unchanged picture is written again as often: the file lags by up to three frames, and a crash
# must not lose more than a second.
REPEAT_S = 0.25
# Distance of two frames whose own times are in the wrong order, such as a composite after the
# stand-by card.
SHORTEST_STEP_S = 0.001


def check_name(path: Path) -> None:
    """Raise UsageError unless this is the name of a video that can be recorded."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            t(
                "The recording {file} cannot be started: {reason}.",
                file=path,
                reason=t(
                    "the name of a video must end in {suffixes}; choose another name",
                    suffixes=SUFFIXES,
                ),
            )
        )


# In seconds, in the file.
Time = Fraction | float

# Frames that wait at most; beyond it the oldest is dropped.
CAPACITY = 8
# Added to the threads of the encoder, which never hold the interpreter lock. At 19, other programs
# that keep the processor busy starve a recording for seconds.
ENCODER_NICENESS = 10
# Added to the thread that feeds it: a thread that is preempted while it holds the lock stalls the
# frame path and the window.
FEEDER_NICENESS = 4
# With fewer waiting frames, one is encoded between two frame steps: x264 and OpenVINO's workers on
# the same cores delay the step by more than the encoding takes.
PATIENT_BELOW = CAPACITY // 2
# A machine that steps without a gap encodes during the next step.
LONGEST_WAIT_FOR_GAP_S = 0.05
# How often it is looked whether the file was moved or removed.
FOLLOW_S = 1
# Longest gap of a constant frame rate that is filled; a longer one is a suspended machine.
LONGEST_FILL_S = 1


class EncoderThread:
    """Opens a writer and writes the pictures given to it.

    The writer may be used elsewhere after `finish`.
    """

    def __init__(
        self,
        open_writer: Callable[[], RecordingWriter],
        image_of: Callable[[Picture], NDArray[np.uint8]],
        context: SinkContext,
        fill_rate: Fraction | None = None,
        sound_for: Callable[[Time], NDArray[np.int16]] | None = None,
    ) -> None:
        """image_of: the image that is written.

        context: whose gaps are used, and which gets the `recording`. fill_rate: the constant frame
        rate whose gaps are filled by repetitions; None for a variable one. sound_for: the samples
        that are written after the frame of this time. Waits for the writer; raises what
        `open_writer` raises.
        """
        self._open_writer = open_writer
        self._image_of = image_of
        self._wait_for_gap = context.wait_for_gap
        self._fill_rate = fill_rate
        self._sound_for = sound_for
        # None ends the thread.
        self._waiting: SimpleQueue[tuple[Picture, Time] | None] = SimpleQueue()
        self._last_written: Picture | None = None
        self._closed = False
        self.error: Exception | None = None  # what ended the thread
        self.writer = on_own_thread("encoder-pool", self._open).result()
        """Only this thread may use it until `finish`."""
        self.file = self.writer.file  # where it was when that was looked for last
        self._followed_s: Time = 0
        self.recording = RecordingProgress()
        context.recordings.append(self.recording)
        self._worker = Worker("encoder", self._run, Stage.RECORDING, niceness=FEEDER_NICENESS)
        self._worker.start()

    def put(self, picture: Picture, time_s: Time) -> None:
        """Hand over a picture to be written at this time."""
        if self._waiting.qsize() >= CAPACITY:
            with suppress(Empty):  # the thread may take all of them meanwhile
                self._waiting.get_nowait()
                self.recording.dropped += 1
        self._waiting.put((picture, time_s))

    def finish(self) -> None:
        """Wait until everything that was handed over is written, and end the thread. Idempotent."""
        self._closed = True
        self._waiting.put(None)
        self._worker.join(None)

    def _open(self) -> RecordingWriter:
        # The encoder starts its threads when it is opened; they inherit name and priority.
        lower_priority(ENCODER_NICENESS, batch=True)
        return self._open_writer()

    def _run(self, _stop: threading.Event) -> None:
        try:
            while (item := self._waiting.get()) is not None:
                if self._waiting.qsize() < PATIENT_BELOW and not self._closed:
                    self._wait_for_gap(LONGEST_WAIT_FOR_GAP_S)
                self._write(*item)
        except Exception as error:  # noqa: BLE001 - reported at the next frame
            self.error = error

    def _write(self, picture: Picture, time_s: Time) -> None:
        if self._fill_rate is not None:
            self._fill(time_s, self._fill_rate)
        if picture is self._last_written:
            # Without another conversion.
            self.writer.repeat(time_s)
        else:
            self.writer.write(self._image_of(picture), time_s)
            self._last_written = picture
        self.recording.encoded += 1
        if self._sound_for is not None:
            self.writer.write_sound(self._sound_for(time_s))
        if time_s >= self._followed_s + FOLLOW_S:
            self._followed_s = time_s
            self.file = self.writer.follow()

    def _fill(self, time_s: Time, rate: Fraction) -> None:
        """Repeat the last frame up to `time_s`."""
        last_s = self.writer.last_s
        if last_s is None:
            return
        missing = round((Fraction(time_s) - last_s) * rate) - 1
        if missing > LONGEST_FILL_S * rate:
            return
        for number in range(1, missing + 1):
            self.writer.repeat(last_s + number / rate)
            self.recording.encoded += 1


class PictureTimes:
    """Gives each picture of a recording its time in the file."""

    def __init__(self, rate: Fraction, *, is_constant: bool) -> None:
        """rate: of the frames. is_constant: whether every picture is written, also repetitions."""
        self._interval_s = 1 / rate
        self._rate = rate
        self._is_constant = is_constant
        self.last_picture: Picture | None = None
        # When the file begins, on the clock of the frames.
        self._start_s = 0.0
        # Time in the file of the picture written last.
        self._last_s: Time = 0.0
        # Age of the last new picture when it was sent: repetitions keep its distance to the clock.
        self._lag_s = 0.0

    def next_s(self, picture: Picture, now_s: float) -> Time | None:
        """Return the time of the next picture in seconds from the first one, None to leave it out.

        At a variable rate, each new picture is written once, at the time at which its frame was
        captured; the stand-by card when it is sent. At a constant rate, every picture is,
        repetitions included, at multiples of the interval.
        """
        last_picture = self.last_picture
        self.last_picture = picture
        is_new = picture is not last_picture
        if is_new:
            captured_at_s = now_s
            if picture.frame is not None and not self._is_constant:
                captured_at_s = picture.frame.captured_at_s
            self._lag_s = max(0.0, now_s - captured_at_s)
        if last_picture is None:
            self._start_s = now_s - self._lag_s
            self._last_s = Fraction(0)
            return self._last_s
        time_s = now_s - self._lag_s - self._start_s
        if self._is_constant:
            on_the_grid_s = round(time_s * self._rate) / self._rate
            self._last_s = max(self._last_s + self._interval_s, on_the_grid_s)
        elif is_new or time_s >= self._last_s + REPEAT_S:
            self._last_s = max(time_s, self._last_s + SHORTEST_STEP_S)
        else:
            return None
        return self._last_s

    def last_repetition_s(self, now_s: float) -> Time | None:
        """Return when the last picture is written once more, so that it is shown as long as it was.

        None if it needs no repetition.
        """
        if self.last_picture is None or self._is_constant:
            return None
        end_s = now_s - self._lag_s - self._start_s - self._interval_s
        if end_s > self._last_s + self._interval_s / 2:
            return end_s
        return None


class FilmSound:
    """What a microphone hears, on the time line of a recording.

    Both are set before the first frame is handed to the encoder's thread, which reads them.
    """

    def __init__(self) -> None:
        self.microphone: Microphone | None = None
        # None before the file begins.
        self.track: SoundTrack | None = None

    def until(self, time_s: Time, *, final: bool = False) -> NDArray[np.int16]:
        """Return the samples that arrived up to the frame of this time.

        final: those up to the end of the file.
        """
        assert self.microphone is not None
        assert self.track is not None
        return self.track.add(self.microphone.take(), float(time_s), final=final)

    def close(self) -> None:
        """Close the microphone. Idempotent."""
        if self.microphone is not None:
            self.microphone.close()


class Recorder(FrameSink):
    """Writes the composite with the sound of the microphone, or with `alpha` the matte in grey, as
    H.264.

    Frames are encoded on threads of a low priority; `send` never waits for it. The file has the
    size of the first composite: stand-by cards of another size before it are left out, and later
    frames of another size are letterboxed. Without a matte, a matte recording is black.
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
        """width, height: pixels of the first picture.

        Raises SinkOpenError if the file cannot be written.
        """
        self.name = str(path)
        self._path = path
        self._alpha = alpha
        self._clock = clock
        self._context = context
        self._only_cards_so_far = True
        self._closed = False
        self._note: RecordingNote | None = None
        # Those of the start: others begin another recording.
        self._settings = context.settings().output
        self._sound: FilmSound | None = None
        if self._settings.microphone != "off" and not alpha:
            self._sound = FilmSound()
        try:
            # Before encoders are tried, which takes a moment.
            if not path.parent.is_dir():
                number = errno.ENOTDIR if path.parent.exists() else errno.ENOENT
                raise OSError(number, "no folder")
            self._open(width, height)
        except OSError as error:
            raise write_error(error)(
                t(
                    "The recording {file} cannot be started: {reason}.",
                    file=path,
                    reason=why_not_written(error),
                )
            ) from error
        if self._sound is not None:
            self._sound.microphone = context.open_microphone()

    def _open(self, width: int, height: int) -> None:
        """Begin a file for frames of this size. Raises OSError."""
        rate = Fraction(self._context.fps).limit_denominator(1001)
        is_constant = self._settings.record_rate == "constant"
        self._times = PictureTimes(rate, is_constant=is_constant)
        encoder_name = self._settings.encoder

        def open_writer() -> RecordingWriter:
            even_width = width + width % 2
            even_height = height + height % 2
            chosen = live_encoder(encoder_name, even_width, even_height, rate)
            if encoder_name not in ("auto", chosen.name):
                log.warning(
                    "%s",
                    t(
                        "The encoder {wanted} does not work on this computer; the recording uses "
                        "{used}.",
                        wanted=encoder_name,
                        used=chosen.name,
                    ),
                )
            return RecordingWriter(
                self._path,
                width,
                height,
                rate,
                encoder=chosen,
                sound=self._sound is not None,
                on_created=self._begin_note,
            )

        fill_rate = rate if is_constant else None
        sound_for = None if self._sound is None else self._sound.until
        try:
            self._thread = EncoderThread(
                open_writer,
                self._image,
                self._context,
                fill_rate,
                sound_for,
            )
        except OSError:
            self._end_note()
            raise
        self._size = (width, height)
        self._file = self._thread.file

    def _begin_note(self, file: Path) -> None:
        self._note = RecordingNote(file)

    def _end_note(self) -> None:
        if self._note is not None:
            self._note.end()

    def _open_anew(self, width: int, height: int) -> None:
        """Begin the file again in another size, without the cards so far. Raises SinkLostError."""
        self._thread.finish()
        self._thread.writer.abort()
        self._end_note()
        if self._sound is not None:
            self._sound.track = None  # the sound of the cards is left out as well
        try:
            self._open(width, height)
        except OSError as error:
            self._fail(error)

    def send(self, picture: Picture) -> None:
        """Append the frame.

        Raises SinkLostError if an earlier one could not be written; the file is finished then.
        """
        if self._closed:
            raise SinkLostError(
                t("The recording {file} is finished; start another one.", file=self.name),
            )
        if self._thread.error is not None:
            self._fail(self._thread.error)
        if self._thread.file != self._file:
            self._tell_move(self._thread.file)
        if self._only_cards_so_far and picture.kind is not PictureKind.STANDBY:
            self._only_cards_so_far = False
            if picture.size != self._size:
                self._open_anew(*picture.size)
        now_s = self._clock()
        if self._sound is not None and self._sound.track is None:
            # The sound begins with the first frame.
            origin_s = now_s
            if picture.frame is not None:
                origin_s = min(now_s, picture.frame.captured_at_s)
            self._sound.track = SoundTrack(origin_s)
        time_s = self._times.next_s(picture, now_s)
        if time_s is not None:
            self._thread.put(picture, time_s)

    def _tell_move(self, file: Path) -> None:
        self._file = file
        self._end_note()
        self._begin_note(file)
        self.notice = t(
            "The recording {file} was moved while it runs; it goes on in {folder}.",
            file=self.name,
            folder=file.parent,
        )

    def close(self) -> None:
        """Finish the file, or remove it if it is empty. Idempotent.

        Raises SinkLostError if it cannot be finished, or got another name because its own was taken
        meanwhile.
        """
        if self._closed:
            return
        last_picture = self._times.last_picture
        repetition_s = self._times.last_repetition_s(self._clock())
        if self._sound is not None:
            close_unused(self._sound.close)  # the film is finished in any case
        if last_picture is not None and repetition_s is not None:
            self._thread.put(last_picture, repetition_s)
        self._thread.finish()
        if self._thread.error is not None:
            self._fail(self._thread.error)
        self._closed = True
        self._times.last_picture = None
        try:
            if last_picture is None:
                self._thread.writer.abort()
            else:
                self._complete()
        except OSError as error:
            raise SinkLostError(
                t(
                    "The recording could not be completed: {reason} ({kept}).",
                    reason=why_not_written(error),
                    kept=self._salvage(),
                )
            ) from error
        finally:
            self._end_note()
        if not same_file(self._thread.writer.path.parent, self._path.parent):
            raise SinkLostError(
                t(
                    "The recording {file} was moved while it ran; it is {copy}.",
                    file=self.name,
                    copy=self._thread.writer.path,
                )
            )
        if self._thread.writer.path.name != self._path.name:
            raise SinkLostError(
                t(
                    "Another file {file} appeared during the recording, which is saved as {copy}.",
                    file=self.name,
                    copy=self._thread.writer.path,
                )
            )

    def _complete(self) -> None:
        """Write what is left of the sound and finish the file. Raises OSError."""
        writer = self._thread.writer
        if self._sound is not None:
            writer.write_sound(self._sound.until(writer.end_s, final=True))
        writer.follow()  # one that was removed is told, and written again
        writer.close()
        self._thread.recording.file = str(writer.path)

    def _image(self, picture: Picture) -> NDArray[np.uint8]:
        if not self._alpha:
            return picture.image
        if picture.alpha is None:
            return np.zeros(picture.image.shape[:2], np.uint8)
        return picture.alpha

    def _fail(self, error: Exception) -> NoReturn:
        """Finish what was written and raise the error that ended the encoder's thread or kept it
        from beginning.
        """
        kept = self._salvage()
        if isinstance(error, OSError):
            raise SinkLostError(
                t(
                    "The recording stopped: {reason} ({kept}).",
                    reason=why_not_written(error),
                    kept=kept,
                )
            ) from error
        raise error

    def _salvage(self) -> Text:
        """Finish the file after a failure and return where it is."""
        self._closed = True
        self._times.last_picture = None
        if self._sound is not None:
            self._sound.close()
        self._thread.finish()
        writer = self._thread.writer
        with suppress(OSError):
            writer.close()
        self._end_note()
        file = writer.file
        if not file.exists():
            return t("nothing was recorded")
        self._thread.recording.file = str(file)
        return t("the recording so far is in {file}", file=file)
