from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from app.core.errors import SinkLostError, SinkOpenError
from app.core.types import BgrImage, Picture
from app.doctor import proof
from app.doctor.finding import State
from app.doctor.proof import Read, prove
from tests.waiting import eventually

Spoil = Callable[[BgrImage, int], BgrImage]


class Wire:
    """A virtual camera and its reader, joined.

    spoil: what the way does to the picture with a number. fail_after: pictures until the wire is cut.
    """

    def __init__(self, spoil: Spoil = lambda image, number: image, fail_after: int = 10**9) -> None:
        self.spoil = spoil
        self.pictures: queue.Queue[BgrImage] = queue.Queue(maxsize=2)
        self.fail_after = fail_after
        self.sent = 0
        self.open_ends = 0
        self.threads: set[int] = set()

    def open_sink(self, width: int, height: int, fps: float) -> Wire:
        self.open_ends += 1
        return self

    @contextmanager
    def open_reader(self) -> Iterator[Read | None]:
        self.open_ends += 1
        yield self.read
        self.open_ends -= 1

    @property
    def name(self) -> str:
        return "wire"

    def send(self, picture: Picture) -> None:
        self.threads.add(threading.get_ident())
        self.sent += 1
        if self.sent > self.fail_after:
            raise SinkLostError("The wire was cut; plug it in again.")
        if not self.pictures.full():
            self.pictures.put(self.spoil(picture.image, self.sent))

    def read(self) -> BgrImage | None:
        eventually(lambda: not self.pictures.empty() or self.sent > self.fail_after)
        return None if self.pictures.empty() else self.pictures.get()

    def close(self) -> None:
        self.open_ends -= 1


class Blind(Wire):
    @contextmanager
    def open_reader(self) -> Iterator[Read | None]:
        yield None


class Silent(Wire):
    def read(self) -> BgrImage | None:
        return None


class Closed(Wire):
    def open_sink(self, width: int, height: int, fps: float) -> Wire:
        raise SinkOpenError("The wire is not there.")


class Slow(Wire):
    def open_sink(self, width: int, height: int, fps: float) -> Wire:
        time.sleep(0.5)
        return super().open_sink(width, height, fps)


def with_other_matrix(image: BgrImage, _number: int) -> BgrImage:
    """BT.709 where readers assume BT.601: the fault that one sees on skin."""
    blue, green, red = (image[..., index].astype(float) for index in range(3))
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    cb, cr = (blue - y) / 1.8556, (red - y) / 1.5748
    back = np.stack([y + 1.772 * cb, y - 0.344136 * cb - 0.714136 * cr, y + 1.402 * cr], -1)
    return np.clip(back.round(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("wire", "state", "words"),
    [
        (Wire(), State.OK, "read back at 640×480; the largest error is 0 of 255"),
        (Wire(lambda image, number: np.full_like(image, 7) if number <= 6 else image), State.OK, "read back"),
        (
            Wire(lambda image, _: np.asarray(cv2.resize(image, (320, 180)), np.uint8)),
            State.WARNING,
            "delivers 320×180 instead of 640×480",
        ),
        (Blind(), State.PROBLEM, "cannot be opened as a camera"),
        (Silent(), State.PROBLEM, "delivers no frames"),
        (Closed(), State.PROBLEM, "The wire is not there."),
        (Wire(lambda image, _: np.ascontiguousarray(image[:, ::-1])), State.PROBLEM, "colours"),
        (Wire(lambda image, _: np.ascontiguousarray(image[..., ::-1])), State.PROBLEM, "colours"),
        (Wire(with_other_matrix), State.PROBLEM, "colours"),
        (Wire(fail_after=0), State.PROBLEM, "The wire was cut"),
        (Wire(fail_after=5), State.PROBLEM, "The wire was cut"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Wire) else None,
)
def test_what_the_proof_says(wire: Wire, state: State, words: str) -> None:
    finding = prove("wire", wire.open_sink, wire.open_reader)
    assert finding.state is state and words in finding.detail
    assert wire.open_ends == 0, "sink and reader are closed again"
    assert threading.get_ident() not in wire.threads and len(wire.threads) <= 1


def test_a_driver_of_one_reader_that_is_read_is_no_problem() -> None:
    """v4l2loopback 0.15 refuses a second reader; the program that reads is named."""
    wire = Blind()
    finding = prove("wire", wire.open_sink, wire.open_reader, readers=lambda: ("meet (process 12)",))
    assert finding.state is State.WARNING and "one program at a time, and meet (process 12) reads it" in finding.detail
    assert wire.open_ends == 0
    good = Wire()
    assert prove("wire", good.open_sink, good.open_reader, readers=lambda: ("meet",)).state is State.OK


def test_a_camera_that_is_not_ready_in_time_is_not_said_to_be_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_FIRST_FRAME_TIMEOUT_S", 0.1)
    wire = Slow()
    finding = prove("wire", wire.open_sink, wire.open_reader)
    assert finding.state is State.PROBLEM and "accepted no frame within" in finding.detail
    assert wire.open_ends == 0
