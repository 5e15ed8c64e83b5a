"""Read and write the frames in PipeWire's buffers."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from app.system.pipewire.library import Buffer, MetaHeader
from app.system.pipewire.pods import any_flag, between, build_object, identifier, integer
from app.system.pipewire.video_format import VideoFormat

_OBJECT_BUFFERS, _OBJECT_META = 0x40004, 0x40005
_PARAM_BUFFERS, _PARAM_META = 5, 6
_COUNT, _BLOCKS, _SIZE, _STRIDE, _DATA_TYPE = 1, 2, 3, 4, 6
_META_TYPE, _META_SIZE, _HEADER = 1, 2, 1
_MEMORY = 1 << 1 | 1 << 2
"""Types of memory that can be mapped: a plain pointer, or a file in memory."""
_FEWEST, _USUAL, _MOST = 2, 8, 32
"""Number of buffers: a few readers ask for 16, and two stall browsers."""


def buffer_parameters(video: VideoFormat) -> list[bytes]:
    """Return what a sender asks of its buffers: their number, size and metadata."""
    return [
        build_object(
            _OBJECT_BUFFERS,
            _PARAM_BUFFERS,
            {
                _COUNT: between(integer(_USUAL), integer(_FEWEST), integer(_MOST)),
                _BLOCKS: integer(1),
                _SIZE: integer(video.frame_bytes),
                _STRIDE: integer(video.stride),
                _DATA_TYPE: any_flag(_MEMORY),
            },
        ),
        build_object(
            _OBJECT_META,
            _PARAM_META,
            {_META_TYPE: identifier(_HEADER), _META_SIZE: integer(ctypes.sizeof(MetaHeader))},
        ),
    ]


def readable_memory() -> bytes:
    """Return what a reader asks of its buffers: memory that can be mapped."""
    return build_object(_OBJECT_BUFFERS, _PARAM_BUFFERS, {_DATA_TYPE: any_flag(_MEMORY)})


def write_frame(address: int, frame: NDArray[np.uint8], stride: int, time_ns: int, number: int) -> None:
    """Write a C-contiguous frame and its time into a buffer; a buffer that does not hold it stays empty."""
    buffer = Buffer.from_address(address).buffer.contents
    block = buffer.datas[0]
    fits = bool(block.data) and block.maxsize >= frame.nbytes
    if fits:
        ctypes.memmove(block.data, frame.ctypes.data, frame.nbytes)
    chunk = block.chunk.contents
    chunk.offset, chunk.size, chunk.stride, chunk.flags = 0, frame.nbytes if fits else 0, stride, 0
    for index in range(buffer.n_metas):
        meta = buffer.metas[index]
        if meta.type == _HEADER and meta.data and meta.size >= ctypes.sizeof(MetaHeader):
            header = MetaHeader.from_address(meta.data)
            header.flags, header.offset, header.pts, header.dts_offset, header.seq = 0, 0, time_ns, 0, number


def read_frame(address: int) -> tuple[bytes, int]:
    """Return the filled bytes of a buffer and the stride of a row; no bytes if it is empty or not mapped."""
    block = Buffer.from_address(address).buffer.contents.datas[0]
    chunk = block.chunk.contents
    if not block.data or chunk.offset > block.maxsize:
        return b"", 0
    length = min(chunk.size, block.maxsize - chunk.offset)
    return ctypes.string_at(block.data + chunk.offset, length), chunk.stride
