"""Small video files whose frames encode their number, so that tests can identify them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from app.capture.demo import DemoSource
from app.core.types import BgrImage
from app.media.video_writer import VideoWriter

BITS = 6
TICK_S = Fraction(1, 1000)
SAMPLE_RATE = 16_000


def numbered(number: int, width: int = 96, height: int = 48) -> BgrImage:
    """Return a frame with `number` in stripes: white is 1, black is 0, highest bit left; blue above, red below."""
    image = np.empty((height, width, 3), np.uint8)
    image[: height // 2] = (200, 40, 40)
    image[height // 2 :] = (40, 40, 200)
    stripe = width // BITS
    for bit in range(BITS):
        value = 255 if number >> (BITS - 1 - bit) & 1 else 0
        image[height // 4 : 3 * height // 4, bit * stripe : (bit + 1) * stripe] = value
    return image


def demo(
    width: int,
    height: int,
    numbers: Iterable[int],
    fps: float = 30,
    *,
    empty_scene_s: float = 0,
    motion: float = 1,
) -> list[BgrImage]:
    """Return the frames of the demo with these numbers."""
    source = DemoSource(
        width, height, fps, realtime=False, empty_scene_s=empty_scene_s, motion=motion
    )
    return [source.render(number) for number in numbers]


def names_in(folder: Path) -> list[str]:
    """Return the names of the files and folders in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def write_images(folder: Path, *names: str) -> Path:
    """Write a numbered frame under each name into a new folder."""
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), numbered(number))
    return folder


def write_inputs(folder: Path) -> None:
    """Write one.mp4, the folder `one` with it, base.avi, photo.jpg, the start of photo.heic, `pics` with an image."""
    for name in ("one.mp4", "base.avi", "one/one.mp4"):
        (folder / name).parent.mkdir(exist_ok=True)
        write_clip(folder / name, 2)
    cv2.imwrite(str(folder / "photo.jpg"), numbered(1))
    (folder / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100)
    write_images(folder / "pics", "1.png")


def number_of(image: BgrImage) -> int:
    """Return the number in the stripes."""
    stripe = image.shape[1] // BITS
    row = image[image.shape[0] // 2]
    return sum(
        (int(row[bit * stripe + stripe // 2].mean()) > 127) << (BITS - 1 - bit)
        for bit in range(BITS)
    )


@contextmanager
def writing(
    path: Path,
    codec: str = "libx264",
    rate: Fraction | int = 25,
    *,
    size: tuple[int, int] = (96, 48),
    pixels: str = "yuv420p",
    form: str | None = None,
    options: dict[str, str] | None = None,
) -> Iterator[tuple[OutputContainer, VideoStream]]:
    """Open a file with a film, whose last packets are written at the end. options: of its encoder."""
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        yield container, stream
        container.mux(stream.encode(None))


def write_sound(
    container: OutputContainer, sound: Stream, seconds: float, rate: int = 48_000, hz: int = 0
) -> None:
    """Write a tone, or silence, of so many samples per second."""
    assert isinstance(sound, AudioStream)
    wave = np.sin(np.arange(round(seconds * rate)) * 2 * np.pi * hz / rate) * 9000
    samples = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
    samples.sample_rate = rate
    container.mux([*sound.encode(samples), *sound.encode(None)])


def write_film(
    path: Path, images: Iterable[NDArray[np.uint8]], fps: Fraction | float = 30, **options: Any
) -> VideoWriter:
    """Write images of one size as the program writes films; return the closed writer. options: of `VideoWriter`."""
    first, *others = images
    writer = VideoWriter(path, first.shape[1], first.shape[0], fps, **options)
    for image in (first, *others):
        writer.write(image)
    writer.close()
    return writer


def copy_into(
    path: Path, *parts: tuple[Path, int], header: int = 0, options: dict[str, str] | None = None
) -> Path:
    """Copy the packets of files into one, each file later by so many of its ticks.

    header: number of the part that the header describes. options: of the container.
    """
    with av.open(str(path), "w", options=options) as target:
        with av.open(str(parts[header][0])) as named:
            streams = [target.add_stream_from_template(stream) for stream in named.streams]
        for part, later in parts:
            with av.open(str(part)) as source:
                for packet in source.demux():
                    if packet.dts is not None and packet.pts is not None:
                        packet.pts = packet.pts + later
                        packet.dts = packet.dts + later
                        packet.stream = streams[packet.stream.index]
                        target.mux_one(packet)
    return path


def write_clip(
    path: Path,
    count: int = 10,
    fps: Fraction | int = 25,
    *,
    size: tuple[int, int] = (96, 48),
    times_s: Sequence[Fraction | float] | None = None,
    unit_s: Fraction = TICK_S,
    last_s: float = 0,
    b_frames: int = 0,
    rotation: int = 0,
    mirrored: bool = False,
    pixel_aspect: Fraction | None = None,
    audio: str = "",
    layout: str = "mono",
    audio_rate: int = SAMPLE_RATE,
    image: Callable[[int], BgrImage] | None = None,
) -> Path:
    """Write a clip of `count` frames, at `times_s` or every 1/fps, rounded to `unit_s`.

    last_s: duration of the last frame, where it is another. b_frames: between those that refer to earlier ones only.
    audio, layout, audio_rate: codec, channels and samples per second of a tone of equal length. image: returns the
    frame of a number, by default `numbered`.
    """
    options = {
        "crf": "8",
        "preset": "ultrafast",
        "g": "4",
        "x264-params": f"bframes={b_frames}:b-adapt=0",
    }
    with writing(path, rate=fps, size=size, pixels="yuv444p", options=options) as (
        container,
        stream,
    ):
        stream.time_base = stream.codec_context.time_base = unit_s
        stream.codec_context.flags |= Flags.frame_duration if last_s else 0
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        sound = container.add_stream(audio, rate=audio_rate, layout=layout) if audio else None
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(
                image(number) if image else numbered(number, *size), "bgr24"
            )
            frame.pts = round((times_s[number] if times_s else Fraction(number) / fps) / unit_s)
            frame.time_base = unit_s
            frame.duration = round(last_s / unit_s) if number == count - 1 else 0
            container.mux(stream.encode(frame))
        if sound is not None:
            write_sound(container, sound, float(count / fps), SAMPLE_RATE, 440)
    return path


def length_of(stream: Stream) -> Fraction:
    """Return how long a stream lasts, in seconds, as its file names it."""
    assert stream.duration is not None and stream.time_base is not None
    return stream.duration * stream.time_base


def lengths_of(path: Path) -> list[Fraction]:
    """Return how long each stream of a file lasts, in seconds."""
    with av.open(str(path)) as container:
        return [length_of(stream) for stream in container.streams]


def frames_of(path: Path) -> list[VideoFrame]:
    """Decode every frame of a file."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def pictures(path: Path) -> list[BgrImage]:
    """Return every frame of a file."""
    return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in frames_of(path)]


def read_numbers(path: Path) -> list[int]:
    """The numbers of every frame of a file."""
    return [number_of(image) for image in pictures(path)]
