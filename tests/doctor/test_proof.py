"""The proof of the virtual camera: what comes out of it, and what is said of that."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest

from app.core.errors import SinkLostError, SinkOpenError
from app.core.types import BgrImage, Picture
from app.doctor.finding import State
from app.doctor.proof import Frames, prove
from app.output.base import FrameSink
from tests.doctor.conftest import expect
from tests.stand_ins import always
from tests.waiting import eventually

PROBLEM = State.PROBLEM
WARNING = State.WARNING
OK = State.OK
READ: Mapping[str, Any] = {"readers": always(("meet (process 12)",))}
"""v4l2loopback 0.15 refuses a second reader: that a program reads it is no problem."""


def intact(image: BgrImage, _number: int) -> BgrImage:
    return image


@dataclass(eq=False)
class Wire(FrameSink):
    """A virtual camera and its reader, joined."""

    # Returns what comes out of an image; called with the number of the picture, too.
    spoil: Callable[[BgrImage, int], BgrImage] = intact
    fail_after: int = 10**9  # pictures until it is cut
    opens: bool = True
    readable: bool = True  # opens as a camera
    silent: bool = False  # no frame comes out
    opens_after_s: float = 0.0
    size: tuple[int, int] = 640, 480  # which a reader keeps
    pictures: queue.Queue[BgrImage] = field(default_factory=partial(queue.Queue, 2))
    sent: int = 0
    open_ends: int = 0
    threads: set[int] = field(default_factory=set)
    name = "wire"

    def open_sink(self, width: int, height: int, fps: float) -> Wire:
        if not self.opens:
            raise SinkOpenError("The wire is not there.")
        time.sleep(self.opens_after_s)
        self.open_ends += 1
        return self

    def read(self) -> Frames:
        if not self.readable:
            raise OSError("The wire has another reader.")
        self.open_ends += 1
        try:
            while not self.silent:
                eventually(self.is_cut_or_has_pictures)
                if self.pictures.empty():
                    return
                yield self.pictures.get()
        finally:
            self.open_ends -= 1

    def is_cut_or_has_pictures(self) -> bool:
        return not self.pictures.empty() or self.sent > self.fail_after

    def send(self, picture: Picture) -> None:
        self.threads.add(threading.get_ident())
        self.sent += 1
        if self.sent > self.fail_after:
            raise SinkLostError("The wire was cut; plug it in again.")
        if not self.pictures.full():
            self.pictures.put(self.spoil(picture.image, self.sent))

    def close(self) -> None:
        self.open_ends -= 1


def other_pictures_first(image: BgrImage, number: int) -> BgrImage:
    """What the driver had kept comes out before the pictures that are sent."""
    return np.full_like(image, 7) if number <= 6 else image


def mirrored(image: BgrImage, _number: int) -> BgrImage:
    return np.ascontiguousarray(image[:, ::-1])


def with_red_for_blue(image: BgrImage, _number: int) -> BgrImage:
    return np.ascontiguousarray(image[..., ::-1])


def with_other_matrix(image: BgrImage, _number: int) -> BgrImage:
    """BT.709 where readers assume BT.601: the fault that one sees on skin."""
    blue, green, red = (image[..., index].astype(float) for index in range(3))
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    cb = (blue - y) / 1.8556
    cr = (red - y) / 1.5748
    back = np.stack([y + 1.772 * cb, y - 0.344136 * cb - 0.714136 * cr, y + 1.402 * cr], -1)
    return np.clip(back.round(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("wire", "given", "state", "words"),
    [
        (Wire(), {}, OK, "read back at 640×480; the largest error is 0 of 255"),
        (
            Wire(other_pictures_first),
            {},
            OK,
            "read back",
        ),
        (Wire(size=(320, 180)), {}, OK, "read back at 320×180"),
        (Wire(readable=False), {}, PROBLEM, "cannot be opened as a camera"),
        (
            Wire(readable=False),
            READ,
            WARNING,
            "one program at a time, and meet (process 12) reads it",
        ),
        (Wire(), READ, OK, "read back"),
        (Wire(silent=True), {}, PROBLEM, "delivers no frames"),
        (Wire(opens=False), {}, PROBLEM, "The wire is not there."),
        (Wire(opens_after_s=3.0), {"first_frame_s": 0.1}, PROBLEM, "accepted no frame within"),
        (Wire(mirrored), {}, PROBLEM, "colours"),
        (Wire(with_red_for_blue), {}, PROBLEM, "colours"),
        (Wire(with_other_matrix), {}, PROBLEM, "colours"),
        (Wire(fail_after=0), {}, PROBLEM, "The wire was cut"),
        (Wire(fail_after=5), {}, PROBLEM, "The wire was cut"),
    ],
)
def test_what_the_proof_says(
    wire: Wire, given: Mapping[str, Any], state: State, words: str
) -> None:
    expect([prove("wire", wire.open_sink, wire.read, **given)], (state, words))
    assert wire.open_ends == 0, "sink and reader are closed again"
    assert threading.get_ident() not in wire.threads and len(wire.threads) <= 1
