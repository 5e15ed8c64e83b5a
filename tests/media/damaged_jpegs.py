"""JPEG frames with the damage that a bad cable or memory does to them."""

from __future__ import annotations

import random
from collections.abc import Callable

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from app.core.types import BgrImage
from app.media.jpeg_surplus import END

# Payloads of USB packets, in bytes.
PACKETS = (512, 1024, 3060)
BLOCK = 16
# Mean difference of a block, of 255.
VISIBLE = 16.0


def encode(
    image: BgrImage,
    quality: int = 75,
    sampling: int = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    **extra: int,
) -> bytes:
    """Return the image as baseline JPEG, with 4:2:2 chroma as cameras send it."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    options += [cv2.IMWRITE_JPEG_RST_INTERVAL, extra.get("restart", 0)]
    options += [cv2.IMWRITE_JPEG_OPTIMIZE, extra.get("optimize", 0)]
    return cv2.imencode(".jpg", image, options)[1].tobytes()


def scan_start(data: bytes) -> int:
    """Return where the entropy-coded data begins."""
    at = data.index(b"\xff\xda")
    return at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def restart_marks(frame: bytes) -> list[int]:
    """Return where the restart markers of a frame are."""
    start = scan_start(frame)
    return [
        at
        for at in range(start, len(frame) - 1)
        if frame[at] == 0xFF and 0xD0 <= frame[at + 1] <= 0xD7
    ]


def with_surplus(frame: bytes, added: bytes, every: int = 3) -> bytes:
    """Return a frame with bytes added before the first restart marker and each that follows at
    this distance.
    """
    for at in reversed(restart_marks(frame)[::every]):
        frame = frame[:at] + added + frame[at:]
    return frame


def cut_off(data: bytes, other: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(scan_start(data), len(data) - 64)]


def cut_off_with_end_marker(data: bytes, other: bytes, dice: random.Random) -> bytes:
    return cut_off(data, other, dice) + b"\xff\xd9"


def cut_off_and_padded(data: bytes, other: bytes, dice: random.Random) -> bytes:
    return cut_off(data, other, dice).ljust(len(data), b"\0")


def lost_packets(data: bytes, other: bytes, dice: random.Random) -> bytes:
    frame = bytearray(data)
    size = dice.choice(PACKETS)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at = dice.randrange(scan_start(data), max(scan_start(data) + 1, len(frame) - size - 2))
        del frame[at : at + size]
    return bytes(frame)


def stale_packet(data: bytes, other: bytes, dice: random.Random) -> bytes:
    """A packet of the frame before."""
    size = dice.choice(PACKETS)
    at = dice.randrange(scan_start(data), min(len(data), len(other)) - size - 2)
    return data[:at] + other[at : at + size] + data[at + size :]


def zeroed_packet(data: bytes, other: bytes, dice: random.Random) -> bytes:
    return stale_packet(data, bytes(len(data)), dice)


def changed_bytes(data: bytes, other: bytes, dice: random.Random) -> bytes:
    frame = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        frame[dice.randrange(scan_start(data), len(data) - 2)] ^= dice.choice(
            (dice.randrange(256), 1 << dice.randrange(8))
        )
    return bytes(frame)


Damage = Callable[[bytes, bytes, random.Random], bytes]
# What a bad cable does: USB packets carry checksums, so that they are lost rather than altered.
TRANSPORT: tuple[Damage, ...] = (
    cut_off,
    cut_off_with_end_marker,
    cut_off_and_padded,
    lost_packets,
    zeroed_packet,
)
# What a faulty driver or memory does. A JPEG has no checksum: many of these decode without a
# warning.
MEMORY: tuple[Damage, ...] = (stale_packet, changed_bytes)


def visible_share(frame: NDArray[np.uint8], intact: BgrImage) -> float:
    """Return the share of blocks that a decoder shows visibly wrong."""
    try:
        image = simplejpeg.decode_jpeg(frame.tobytes() + END, colorspace="BGR", strict=False)
    except ValueError:
        return 1.0
    if image.shape != intact.shape:
        return 1.0
    height, width = intact.shape[:2]
    difference = cv2.absdiff(image, intact).mean(axis=2)
    blocks = cv2.resize(difference, (width // BLOCK, height // BLOCK), interpolation=cv2.INTER_AREA)
    return float((blocks > VISIBLE).mean())
