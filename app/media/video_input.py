"""Opening and decoding video files: one allow-list of containers, codecs and protocols, and limits on size and time.

Video files come from strangers. FFmpeg as it is also opens playlists, which play other local files or network streams,
and renders text files; a small file can hold frames that take gigabytes and minutes to decode.
"""

from __future__ import annotations

import logging
import mmap
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream
from numpy.typing import NDArray

from app.core.errors import MattecamError
from app.core.messages.media import VideoText
from app.core.types import BgrImage
from app.media.frame_filters import deinterlaced, in_bt709
from app.media.jpeg import DamagedJpegError, check_jpeg
from app.media.mp4 import declares_too_much

log = logging.getLogger(__name__)

CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,flv,ogg,asf,gif,apng,mjpeg,h264,hevc,m4v,obu,ivf,"
    "mxf,dv,yuv4mpegpipe,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe"
)
CLEAR_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
VIDEO_CODECS = (
    "h264,hevc,libdav1d,av1,vp8,libvpx,vp9,libvpx-vp9,vvc,mpeg4,mpeg1video,mpeg2video,mpegvideo,h263,flv,msmpeg4,"
    "msmpeg4v1,msmpeg4v2,wmv1,wmv2,wmv3,vc1,theora,mjpeg,prores,dnxhd,cfhd,dvvideo,ffv1,ffvhuff,huffyuv,utvideo,"
    "magicyuv,v210,qtrle,rawvideo,gif,apng,png,webp,bmp,tiff"
)
AUDIO_CODECS = (
    "aac,aac_latm,mp1,mp1float,mp2,mp2float,mp3,mp3float,ac3,eac3,dca,opus,libopus,vorbis,flac,alac,wmav1,wmav2,"
    "wmapro,amrnb,libopencore_amrnb,amrwb,libopencore_amrwb,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,"
    "pcm_s32be,pcm_f32le,pcm_f32be,pcm_u8,pcm_s8,pcm_alaw,pcm_mulaw,pcm_bluray,pcm_dvd,adpcm_ms,adpcm_ima_wav,"
    "adpcm_ima_qt"
)
PROTOCOLS = "file"

MAX_PIXELS = 8192 * 4608
"""Pixels of a frame in a converted file; larger videos are refused before a frame is decoded."""
LIVE_MAX_PIXELS = 4096 * 2304
"""Pixels of a frame of a source or background, which is decoded beside the network."""
PADDING = 2
"""FFmpeg applies its limit to the padded buffer of a frame."""
OPEN_TIMEOUT_S = 20.0
FRAME_TIMEOUT_S = 10.0
"""A video that gives no frame for so long while it is decoded counts as unreadable from there on."""
MAX_PIXEL_ASPECT = 4
"""A pixel more elongated than this is a broken header."""
UNSPECIFIED_MATRIX, HD_HEIGHT = 2, 720
"""A video that names no colour matrix means BT.709 from this height on, BT.601 below it."""


class VideoError(MattecamError):
    """A video file cannot be read."""


def file_address(path: Path) -> str:
    """Return the name under which FFmpeg opens a file: without it, 12:30.mp4 would be taken for an address."""
    return f"file:{path}"


def open_container(path: Path, view: mmap.mmap | None = None) -> InputContainer:
    """Open a media file for reading under the allow-list. Raises VideoError.

    view: read in place of the file; of the same size.
    """
    try:
        if not path.is_file():
            raise VideoError(VideoText.ABSENT(file=path))
        if declares_too_much(path):
            raise VideoError(VideoText.UNREADABLE(file=path))
        return av.open(
            file_address(path) if view is None else view,
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
        raise VideoError(VideoText.NOT_PERMITTED(file=path)) from None
    except (FFmpegError, OSError, ValueError):
        raise VideoError(VideoText.UNREADABLE(file=path)) from None


class VideoInput:
    """The first video stream of a file, opened for decoding; damaged parts are skipped and counted."""

    def __init__(self, path: Path, *, max_pixels: int = MAX_PIXELS, threads: int = 0) -> None:
        """max_pixels: limit of width x height. threads: of the decoder, 0 for one per core. Raises VideoError."""
        self.path = path
        self.damaged = 0
        """Packets and frames skipped so far."""
        self.container = open_container(path)
        try:
            self.stream = self._choose_stream(max_pixels)
        except BaseException:
            self.container.close()
            raise
        codec = self._decoder = _decoder_of(self.stream)
        self._is_mjpeg = codec.name == "mjpeg"
        codec.options = {"max_pixels": str(max_pixels * PADDING), "codec_whitelist": VIDEO_CODECS}
        codec.thread_type = "AUTO"
        codec.thread_count = threads

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel over its height; 1 where the file names none or an implausible one."""
        aspect = self.stream.sample_aspect_ratio or Fraction(1)
        return aspect if Fraction(1, MAX_PIXEL_ASPECT) <= aspect <= MAX_PIXEL_ASPECT else Fraction(1)

    def frames(self) -> Iterator[VideoFrame]:
        """Decode from the current position to the end. Corrupt frames are skipped, interlaced ones deinterlaced.

        Frames with BT.2020 colours, also of HDR, are converted to RGB with BT.709 colours.
        """
        threads = self._decoder.thread_count
        return in_bt709(deinterlaced(self._decoded(), threads), threads)

    def _decoded(self) -> Iterator[VideoFrame]:
        packets = self.container.demux(self.stream)
        started_s = time.monotonic()
        while time.monotonic() - started_s < FRAME_TIMEOUT_S:
            try:
                packet = next(packets, None)
            except (FFmpegError, OSError) as error:
                self.damaged += 1
                log.warning("%s can be read only in part: %s", self.path, error)
                return
            if packet is None:
                return
            for frame in self._decode(packet):
                yield frame
                started_s = time.monotonic()
        self.damaged += 1
        log.warning("%s can be read only in part: no frame within %.0f seconds", self.path, FRAME_TIMEOUT_S)

    def rewind(self) -> bool:
        """Return to the start; False where the file cannot be repositioned."""
        try:
            self.container.seek(0, backward=True)
        except (FFmpegError, OSError) as error:
            log.warning("The video %s cannot start again: %s", self.path, error)
            return False
        return True

    def close(self) -> None:
        """Close the file. Idempotent."""
        self.container.close()

    def _choose_stream(self, max_pixels: int) -> VideoStream:
        streams = [s for s in self.container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            raise VideoError(VideoText.NO_VIDEO(file=self.path))
        stream = streams[0]
        codec = stream.codec_context
        if codec is None or codec.codec.name not in VIDEO_CODECS.split(","):
            raise VideoError(VideoText.UNSUPPORTED(file=self.path))
        if codec.width * codec.height > max_pixels:
            raise VideoError(VideoText.TOO_LARGE(file=self.path, width=codec.width, height=codec.height))
        return stream

    def _decode(self, packet: Packet[VideoStream]) -> Iterator[VideoFrame]:
        if self._is_mjpeg and packet.size:
            try:
                check_jpeg(np.frombuffer(memoryview(packet), np.uint8))
            except DamagedJpegError as error:
                if not error.is_surplus:
                    self.damaged += 1
                    return
        try:
            frames = self._decoder.decode(packet)
        except (FFmpegError, ValueError) as error:
            self.damaged += 1
            log.debug("broken packet in %s: %s", self.path, error)
            return
        for frame in frames:
            if frame.is_corrupt:
                self.damaged += 1
            else:
                yield frame


def _decoder_of(stream: VideoStream) -> VideoCodecContext:
    """Return the decoder of a stream; of VP8 and VP9 with alpha that of libvpx, because FFmpeg's own leaves it out."""
    codec = stream.codec_context
    if stream.metadata.get("alpha_mode") != "1" or codec.name not in CLEAR_DECODERS:
        return codec
    decoder = av.VideoCodecContext.create(CLEAR_DECODERS[codec.name], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.extradata = codec.extradata
    return decoder


def is_mirrored(first: VideoFrame) -> bool:
    """Return whether the display matrix mirrors a video, as of front cameras.

    first: its first frame; PyAV frees a frame whose matrix was read only with the next garbage collection.
    """
    try:
        matrix: Any = first.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV does not know every kind of side data, such as EXIF, and then gives none
        return False
    return matrix is not None and bool(np.linalg.det(np.frombuffer(matrix, np.int32).reshape(3, 3)[:2, :2]) < 0)


def upright(frame: VideoFrame, image: NDArray[Any], mirrored: bool) -> BgrImage:
    """Return the image of a frame turned by quarters, and mirrored, as the display matrix of the file says."""
    image = image[::-1] if mirrored else image  # the rotation is that of the flipped image
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90) % 4), np.uint8)  # counter-clockwise


def colour_matrix(frame: VideoFrame) -> int | None:
    """The colour matrix to assume for a frame that names none; None: the one it names."""
    if frame.colorspace != UNSPECIFIED_MATRIX:
        return None
    return int(Colorspace.ITU709 if frame.height >= HD_HEIGHT else Colorspace.ITU601)
