"""Opening video files: one allow-list of containers, codecs and protocols, and limits on size and
time.

Video files come from strangers. FFmpeg as it is also opens playlists, which play other local files
or network streams, and renders text files; a small file can hold frames that take gigabytes and
minutes to decode.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Stream
from av.video.frame import VideoFrame
from PIL import Image, ImageSequence

from app.core.errors import MattecamError, Text, t
from app.media.headers import read_header
from app.media.image_file import BROKEN
from app.media.image_memory import WORKING_BYTES, is_file_too_large, takes_too_much

# No playlists (hls, dash, concat), which open other addresses, and no text, which FFmpeg renders.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,flv,ogg,asf,gif,apng,mjpeg,"
    "h264,hevc,m4v,obu,ivf,mxf,dv,yuv4mpegpipe,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe"
)
VIDEO_CODECS = (
    "h264,hevc,libdav1d,av1,vp8,libvpx,vp9,libvpx-vp9,vvc,mpeg4,mpeg1video,mpeg2video,mpegvideo,"
    "h263,flv,msmpeg4,msmpeg4v1,msmpeg4v2,wmv1,wmv2,wmv3,vc1,theora,mjpeg,prores,dnxhd,cfhd,"
    "dvvideo,ffv1,ffvhuff,huffyuv,utvideo,magicyuv,v210,qtrle,rawvideo,gif,apng,png,webp,bmp,tiff"
)
AUDIO_CODECS = (
    "aac,aac_latm,mp1,mp1float,mp2,mp2float,mp3,mp3float,ac3,eac3,dca,opus,libopus,vorbis,flac,alac,"
    "wmav1,wmav2,wmapro,amrnb,libopencore_amrnb,amrwb,libopencore_amrwb,pcm_s16le,pcm_s16be,"
    "pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_u8,pcm_s8,"
    "pcm_alaw,pcm_mulaw,pcm_bluray,pcm_dvd,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt"
)
PROTOCOLS = "file"

# Pixels of a frame in a converted file; larger videos are refused before a frame is decoded.
MAX_PIXELS = 8192 * 4608
# FFmpeg applies its limit to the padded buffer of a frame.
PADDING = 2
OPEN_TIMEOUT_S = 20.0
# Bytes of a video file without a frame, at most.
LONGEST_HEADER = 64 * 1024
# Enough to tell a film from a thumbnail; reading a whole file would take minutes.
MOST_COUNTED_PACKETS = 2000


class VideoError(MattecamError):
    """A video file cannot be read."""

    unusable = True


def file_address(path: Path) -> str:
    """Return the name under which FFmpeg opens a file: without it, 12:30.mp4 would be taken for
    an address.
    """
    return f"file:{path}"


def open_container(path: Path) -> InputContainer:
    """Open a media file for reading under the allow-list. Raises VideoError."""
    try:
        if not path.is_file():
            raise VideoError(t("There is no video file {file}; check the name.", file=path))
        header = read_header(path)
        if header.declares_too_much:
            raise ValueError("it declares too large an index")
        if header.needs_dolby_vision:
            raise VideoError(
                t(
                    "{file} has colours of Dolby Vision that only its own displays show "
                    "(profile 5); save it in HDR10, HLG or without HDR.",
                    file=path,
                )
            )
        return av.open(
            _opened_by_ffmpeg(path),
            "r",
            container_options={
                "protocol_whitelist": PROTOCOLS,
                "format_whitelist": CONTAINERS,
                "codec_whitelist": f"{VIDEO_CODECS},{AUDIO_CODECS}",
            },
            options={"max_pixels": str(MAX_PIXELS * PADDING)},  # for decoders that probe the file
            metadata_errors="replace",
            timeout=OPEN_TIMEOUT_S,
        )
    except PermissionError:
        raise VideoError(
            t(
                "You have no permission to read the video {file}; check the permissions of the "
                "file.",
                file=path,
            )
        ) from None
    except (FFmpegError, MemoryError, *BROKEN):
        raise VideoError(
            t(
                "{file} is not a readable video: it is damaged or in an unknown format; choose "
                "another file.",
                file=path,
            )
        ) from None


def no_longer_readable(path: Path) -> Text:
    """Return the sentence on a video that could be read before."""
    return t("The video {file} can no longer be read; choose another file.", file=path)


def packet_counts(path: Path, streams: Sequence[Stream]) -> Mapping[int, int]:
    """Return the number of packets by the index of the stream; counted near the start where it
    is not named.
    """
    if len(streams) == 1 or all(stream.frames for stream in streams):
        return {stream.index: stream.frames or 1 for stream in streams}
    counts = Counter[int]()
    # The file is opened again: reading packets moves the position of the caller's container.
    with open_container(path) as container, suppress(FFmpegError, OSError):
        same_streams = [container.streams[stream.index] for stream in streams]
        for packet in islice(container.demux(same_streams), MOST_COUNTED_PACKETS):
            if packet.size > 0:
                counts[packet.stream.index] += 1
    return counts


# Longer animations are refused: a file of kilobytes can hold thousands of large frames.
MAX_DECODED_BYTES = 1 << 29
MILLISECOND = Fraction(1, 1000)
# As in web browsers, for a frame that names no duration.
USUAL_DURATION_MS = 100
# Flag in the header of an extended WebP image.
IS_ANIMATED = 2


def _opened_by_ffmpeg(path: Path) -> str | io.BytesIO:
    """Return what FFmpeg opens: the address of the file; of an animated WebP image, an animated PNG
    image.

    Raises one of `BROKEN` for such an image that is damaged or too large.
    """
    with path.open("rb") as file:
        head = file.read(21)
    is_extended_webp = len(head) == 21 and head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X"
    if not is_extended_webp or not head[20] & IS_ANIMATED:
        return file_address(path)
    # FFmpeg does not decode animated WebP.
    version = path.stat()
    return io.BytesIO(_as_png(path, version.st_size, version.st_mtime_ns))


@lru_cache(maxsize=1)
def _as_png(path: Path, size: int, time_ns: int) -> bytes:
    """Return an animated WebP image as an animated PNG image.

    size, time_ns: of the file, which a film opens several times; a changed one is converted again.
    """
    if is_file_too_large(path):
        raise ValueError(f"{size} bytes")
    written = io.BytesIO()
    time_ms = 0
    # Not by Pillow, which keeps all frames to write them.
    with (
        Image.open(path, formats=("WEBP",)) as image,
        av.open(written, "w", format="apng") as container,
    ):
        count = getattr(image, "n_frames", 1)
        decoded_bytes = image.width * image.height * 4 * count
        if decoded_bytes > MAX_DECODED_BYTES or takes_too_much(image, max(image.size)):
            raise ValueError(f"{count} frames of {image.width}x{image.height}")
        stream = container.add_stream("apng", rate=1000, options={"compression_level": "1"})
        stream.width = image.width
        stream.height = image.height
        stream.pix_fmt = "rgba"
        stream.codec_context.time_base = MILLISECOND
        for picture in ImageSequence.Iterator(image):
            frame = VideoFrame.from_ndarray(np.array(picture.convert("RGBA")), "rgba")
            frame.pts = time_ms
            frame.time_base = MILLISECOND
            frame.duration = picture.info.get("duration") or USUAL_DURATION_MS
            time_ms += frame.duration
            container.mux(stream.encode(frame))
            if written.tell() > WORKING_BYTES:
                raise ValueError(f"{written.tell()} bytes")
        container.mux(stream.encode(None))
    return written.getvalue()


def holds_a_frame(recorded: Path) -> bool:
    """Return whether a file that was written here has a frame: a disk that is full at once takes a
    part of its header.
    """
    try:
        if recorded.stat().st_size > LONGEST_HEADER:
            return True
        content = recorded.read_bytes()
    except OSError:
        # What cannot be read now may be whole.
        return True
    with suppress(FFmpegError), av.open(io.BytesIO(content), "r") as container:
        return any(packet.size for packet in container.demux(video=0))
    return False
