"""Files of recordings, and pictures as outputs take them."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.errors import SinkLostError, SinkOpenError
from app.core.types import Outgoing, Picture, PictureKind
from app.media.encoders import live_encoder
from app.media.recording_writer import RecordingWriter
from app.media.video_writer import VideoWriter
from app.media.yuv import YuvLayout, to_yuv
from app.output.base import to_bgra
from app.output.pipewire import PipeWireCamera
from app.output.recording import Recorder
from app.system.pipewire.stream import NodeReader
from app.system.pipewire.video_format import RAW_LAYOUTS, PixelLayout
from mattecam.testing import FakeClock
from tests.clips import names_in
from tests.output.pictures import picture, sender
from tests.output.pipewire.feeding import next_frame
from tests.output.recordings import context, full_disk, read, send_slowly
from tests.pipewire_session import PrivateSession
from tests.waiting import eventually, eventually_is

LAYOUTS: tuple[YuvLayout, ...] = ("I420", "YUYV", "UYVY")
WIDTH = 64
HEIGHT = 48


def begun(path: Path) -> Recorder:
    """Return a recorder that has got a picture."""
    recorder = Recorder(path, 64, 48, context())
    recorder.send(picture())
    return recorder


@pytest.mark.parametrize("count", [0, 12])
@pytest.mark.parametrize("method", ["write", "close"])
def test_a_failure_at_the_end_is_reported_and_the_rest_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, count: int
) -> None:
    clock = FakeClock()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context(), clock=clock)

    def fail(self: VideoWriter, *_: object, **_options: object) -> None:
        if method == "close":
            self._release()
        raise OSError(errno.ENOSPC, "No space left on device", str(self.temporary_path))

    send_slowly(recorder, clock, ((number, picture()) for number in range(count)))
    monkeypatch.setattr(VideoWriter, method, fail)
    recorder.send(picture())
    with pytest.raises(SinkLostError, match="the disk is full") as caught:
        recorder.close()
    kept = f"the recording so far is in {tmp_path / 'a.mp4'}" if count else "nothing was recorded"
    assert kept in str(caught.value)
    assert names_in(tmp_path) == ["a.mp4"] * bool(count)
    recorder.close()


@pytest.mark.posix("removal of files that are open")
def test_a_recording_that_was_removed_meanwhile_is_told(tmp_path: Path) -> None:
    recorder = begun(tmp_path / "a.mp4")
    for file in tmp_path.iterdir():
        file.unlink()

    with pytest.raises(SinkLostError, match="its file was removed while it ran") as caught:
        recorder.close()

    assert f"the recording so far is in {tmp_path / 'a.mp4'}" in str(caught.value)
    assert len(read(tmp_path / "a.mp4")[0]) >= 1 and names_in(tmp_path) == ["a.mp4"]


def has_failed(recorder: Recorder) -> bool:
    return recorder._thread.error is not None  # noqa: SLF001


def folder_in_use(recorder: Recorder) -> Path:
    return recorder._thread.file.parent  # noqa: SLF001


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open file")
@pytest.mark.parametrize("removed", ["file", "folder"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_recording_that_is_removed_ends_at_once_and_is_written_again(
    tmp_path: Path, suffix: str, removed: str
) -> None:
    folder = tmp_path / "talks"
    clock = FakeClock()
    folder.mkdir()
    path = folder / f"a.{suffix}"
    recorder = Recorder(path, 64, 48, context(), clock=clock)
    send_slowly(recorder, clock, ((number / 30, picture()) for number in range(20)))
    if removed == "folder":
        shutil.rmtree(folder)
    else:
        (folder / "a.recording.mkv").unlink()

    clock.now_s = 2
    recorder.send(picture())
    eventually(has_failed, recorder)
    with pytest.raises(
        SinkLostError, match="The recording stopped: its file was removed while it ran"
    ) as caught:
        recorder.send(picture())

    assert f"the recording so far is in {path}" in str(caught.value)
    assert len(read(path)[0]) >= 21 and names_in(folder) == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="Windows moves no open file")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_recording_whose_folder_is_renamed_goes_on_there_and_says_so(
    tmp_path: Path, suffix: str
) -> None:
    folder = tmp_path / "talks"
    renamed = tmp_path / "talks of may"
    clock = FakeClock()
    folder.mkdir()
    recorder = Recorder(folder / f"a.{suffix}", 64, 48, context(), clock=clock)
    send_slowly(recorder, clock, ((number / 30, picture()) for number in range(20)))
    assert recorder.notice is None
    folder.rename(renamed)

    clock.now_s = 2
    recorder.send(picture())
    eventually_is(renamed, folder_in_use, recorder)
    clock.now_s = 3
    recorder.send(picture())
    notice = str(recorder.notice)
    with pytest.raises(SinkLostError, match="was moved while it ran") as caught:
        recorder.close()

    assert "it goes on in" in notice and str(renamed) in notice
    assert str(renamed / f"a.{suffix}") in str(caught.value)
    assert len(read(renamed / f"a.{suffix}")[0]) >= 22
    assert not folder.exists() and names_in(renamed) == [f"a.{suffix}"]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_recording_in_a_folder_whose_link_then_leads_elsewhere_is_finished_where_it_is(
    tmp_path: Path, suffix: str
) -> None:
    link, old, new = (tmp_path / name for name in ("talks", "old", "new"))
    old.mkdir()
    new.mkdir()
    link.symlink_to(old)
    recorder = begun(link / f"a.{suffix}")
    link.unlink()
    link.symlink_to(new)

    with pytest.raises(SinkLostError, match="was moved while it ran") as caught:
        recorder.close()

    assert str(old / f"a.{suffix}") in str(caught.value)
    assert len(read(old / f"a.{suffix}")[0]) >= 1
    assert names_in(old) == [f"a.{suffix}"] and names_in(new) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open file")
def test_a_recording_that_lives_on_under_another_hard_link_is_written_again(tmp_path: Path) -> None:
    recorder = begun(tmp_path / "a.mp4")
    (tmp_path / "kept.mkv").hardlink_to(tmp_path / "a.recording.mkv")
    (tmp_path / "a.recording.mkv").unlink()

    with pytest.raises(SinkLostError, match="its file was removed while it ran"):
        recorder.close()

    assert len(read(tmp_path / "a.mp4")[0]) >= 1
    assert names_in(tmp_path) == ["a.mp4", "kept.mkv"]


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open file")
def test_a_recording_that_is_given_up_removes_no_other_of_its_name(tmp_path: Path) -> None:
    removed = RecordingWriter(tmp_path / "a.mp4", 64, 48, 30)
    removed.file.unlink()
    other = begun(tmp_path / "a.mp4")

    removed.abort()

    assert names_in(tmp_path) == ["a.recording.mkv"]
    other.close()
    assert names_in(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none/a.mp4", "does not exist"),
        ("a.txt", "must end in"),
        ("file/a.mp4", "not a folder"),
        ("a" * 300 + ".mp4", "too long"),
    ],
)
def test_a_recording_that_cannot_start_reports_why(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkOpenError, match=words):
        Recorder(tmp_path / name, 64, 48, context())


@pytest.mark.posix("symbolic links for everybody")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_link_to_nowhere_that_appears_is_left_alone(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    recorder = Recorder(path, 64, 48, context())
    path.symlink_to("elsewhere")
    recorder.send(picture())

    with pytest.raises(SinkLostError, match="appeared during the recording"):
        recorder.close()

    assert str(path.readlink()) == "elsewhere" and names_in(tmp_path) == [
        f"a (2).{suffix}",
        path.name,
    ]
    assert len(read(tmp_path / f"a (2).{suffix}")[0]) >= 1


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_file_that_appears_before_a_recording_begins_anew_is_kept(
    tmp_path: Path, suffix: str
) -> None:
    """The first composite of another size began the file again, which then replaced the other."""
    path = tmp_path / f"a.{suffix}"
    recorder = Recorder(path, 64, 48, context())
    recorder.send(Outgoing(replace(picture(), kind=PictureKind.STANDBY)))
    path.write_bytes(b"a film of the user")
    recorder.send(picture(width=96, height=64))

    with pytest.raises(SinkLostError, match="appeared during the recording"):
        recorder.close()

    assert path.read_bytes() == b"a film of the user"
    assert len(read(tmp_path / f"a (2).{suffix}")[0]) == 1


def test_a_file_that_cannot_be_completed_is_kept_as_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk has no room for a second copy: the user is told of the first."""
    copied = RecordingWriter._copy  # noqa: SLF001

    def fail(self: RecordingWriter, recorded: Path, copy: Path) -> None:
        copied(self, recorded, copy)
        raise OSError(errno.ENOSPC, "No space left on device", str(copy))

    monkeypatch.setattr(RecordingWriter, "_copy", fail)
    kept = tmp_path / "a.recording.mkv"
    shared = context()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, shared)
    recorder.send(picture())
    with pytest.raises(SinkLostError) as caught:
        recorder.close()
    assert str(caught.value) == (
        "The recording could not be completed: the disk is full; free some space and try again "
        f"(the recording so far is in {kept})."
    )
    assert [each.file for each in shared.recordings] == [str(kept)]
    assert names_in(tmp_path) == [kept.name] and len(read(kept)[0]) == 1


@pytest.mark.posix("limits of the size of a file")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("room", [0, 100, 400, 1000])
def test_a_disk_that_is_full_before_the_first_frame_keeps_no_file(
    tmp_path: Path, suffix: str, room: int
) -> None:
    """A part of a header was named as the recording."""
    shared = context()
    with full_disk(room):
        recorder = Recorder(tmp_path / f"a.{suffix}", 64, 48, shared)
        recorder.send(picture())
        with pytest.raises(SinkLostError) as caught:
            recorder.close()

    assert "nothing was recorded" in str(caught.value)
    assert names_in(tmp_path) == []
    assert [each.file for each in shared.recordings] == [""]


@pytest.mark.posix("limits of the size of a file")
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_a_recording_on_a_full_disk_plays_to_its_last_second(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    clock = FakeClock()
    generator = np.random.default_rng(0)
    noise = (
        Picture(generator.integers(0, 256, (120, 160, 3), np.uint8), PictureKind.COMPOSITE)
        for _ in range(400)
    )
    with full_disk(1_500_000):
        recorder = Recorder(path, 160, 120, context(), clock=clock)
        with pytest.raises(
            SinkLostError, match=r"The recording stopped: .*the recording so far is in"
        ) as caught:
            send_slowly(
                recorder, clock, ((number / 30, Outgoing(one)) for number, one in enumerate(noise))
            )
        recorder.close()
    (left,) = tmp_path.iterdir()
    assert left.name == (path.name if suffix == "mkv" else "a.recording.mkv")
    assert str(left) in str(caught.value)
    images, times = read(left)
    assert len(images) >= clock.now_s * 30 - 30 >= 30
    assert times == pytest.approx([number / 30 for number in range(len(images))], abs=1e-3)
    with av.open(str(left)) as container:
        assert len(
            [frame for packet in container.demux(video=0) for frame in packet.decode()]
        ) == len(images)


def test_a_recording_that_cannot_be_read_again_is_not_removed(tmp_path: Path) -> None:
    clock = FakeClock()
    recorder = Recorder(tmp_path / "a.mp4", 64, 48, context(), clock=clock)
    send_slowly(
        recorder,
        clock,
        ((number / 30, picture(64, 48, grey=number % 256)) for number in range(300)),
    )
    (recorded,) = tmp_path.iterdir()
    content = recorded.read_bytes()
    with recorded.open("rb+") as file:
        file.seek(len(content) // 3)
        file.write(bytes(len(content) // 3))

    with pytest.raises(SinkLostError, match=r"the recording so far is in .*a\.recording\.mkv"):
        recorder.close()

    assert names_in(tmp_path) == [recorded.name]


@pytest.mark.posix("modes of files")
def test_a_recording_replaces_no_file_with_content(tmp_path: Path) -> None:
    """Not what was there, what a crash left, or what another program has recorded meanwhile; only
    its owner can read it.
    """
    path = tmp_path / "a.mp4"
    left = tmp_path / "a.recording.mkv"
    path.write_bytes(b"the recording of yesterday")
    left.write_bytes(b"an hour of work")
    first = begun(path)
    second = begun(path)
    unfinished = {*tmp_path.iterdir()} - {path, left}
    assert [stat.S_IMODE(file.stat().st_mode) for file in unfinished] == [0o600, 0o600]
    assert path.read_bytes() == b"the recording of yesterday"
    for number, recorder in enumerate((first, second), 2):
        saved = tmp_path / f"a ({number}).mp4"
        with pytest.raises(SinkLostError, match="appeared during the recording") as told:
            recorder.close()
        assert str(saved) in str(told.value)
        assert len(read(saved)[0]) >= 1 and stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert path.read_bytes() == b"the recording of yesterday"
    assert left.read_bytes() == b"an hour of work"
    assert names_in(tmp_path) == ["a (2).mp4", "a (3).mp4", path.name, left.name]


def test_a_recording_takes_the_name_of_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.touch()

    begun(path).close()

    assert len(read(path)[0]) >= 1
    assert names_in(tmp_path) == ["a.mp4"]


@pytest.mark.skipif(os.name == "nt", reason="a path has a limit of 260 characters there")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_recording_may_have_the_longest_name_and_is_private(tmp_path: Path, suffix: str) -> None:
    """Its unfinished file could not be made: the name was too long."""
    path = tmp_path / f"{'x' * 251}.{suffix}"
    before = os.umask(0o022)
    try:
        begun(path).close()
        with pytest.raises(SinkLostError, match="appeared during the recording"):
            recording_beside_another(path)
    finally:
        os.umask(before)

    assert names_in(tmp_path) == [f"{'x' * 247} (2).{suffix}", path.name]
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def recording_beside_another(path: Path) -> None:
    """Record under a name that another file takes meanwhile."""
    path.unlink()
    sink = begun(path)
    path.touch(0o600)
    path.write_bytes(b"another file")
    sink.close()


@pytest.mark.parametrize("suffix", ["mp4", "mov", "m4v", "mkv"])
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(60)])
def test_a_finished_recording_has_exact_times(tmp_path: Path, suffix: str, rate: Fraction) -> None:
    """Matroska rounds them to milliseconds, to which the times of the copy must not be rounded."""
    path = tmp_path / f"a.{suffix}"
    count = 150
    at_s = [number / rate + (number > 70) * Fraction(5, 3) for number in range(count)]
    writer = RecordingWriter(
        path, 64, 48, rate, encoder=live_encoder("x264", 64, 48, rate), sound=True
    )
    for number, time_s in enumerate(at_s):
        writer.write(np.full((48, 64, 3), number, np.uint8), time_s)
        writer.write_sound(np.zeros(round(48_000 / rate), np.int16))
    writer.close()
    exact = suffix != "mkv"
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        sound = container.streams.audio[0]
        assert sound.codec_context.name == ("aac" if exact else "opus")
        tick = video.time_base
        assert tick is not None
        frames = list(container.decode(video=0))
        assert container.duration == pytest.approx(
            (at_s[-1] + 1 / rate) * 1_000_000, abs=1 if exact else 1000
        )
        if exact:
            assert (video.duration or 0) * tick == at_s[-1] + 1 / rate
            assert (sound.duration or 0) * (sound.time_base or 0) == Fraction(
                count * round(48_000 / rate), 48_000
            )
    times = [(frame.pts or 0) * tick for frame in frames]
    assert times == at_s if exact else times == pytest.approx(at_s, abs=5.01e-4)
    assert [int(frame.to_ndarray(format="gray")[20, 20]) for frame in frames] == pytest.approx(
        range(count), abs=3
    )


def test_frames_closer_than_a_tick_of_matroska_keep_their_times(tmp_path: Path) -> None:
    writer = RecordingWriter(
        tmp_path / "a.mp4", 64, 48, 30, encoder=live_encoder("x264", 64, 48, Fraction(30))
    )
    at_s = [
        Fraction(0),
        Fraction(1, 3000),
        Fraction(2, 3000),
        Fraction(1, 10),
        Fraction(1001, 10000),
    ]
    for time_s in at_s:
        writer.write(np.zeros((48, 64, 3), np.uint8), time_s)
    writer.close()

    with av.open(str(tmp_path / "a.mp4")) as container:
        assert [
            (frame.pts or 0) * (frame.time_base or 0) for frame in container.decode(video=0)
        ] == at_s


@pytest.mark.skipif(os.name == "nt", reason="Windows has no names with a colon")
@pytest.mark.parametrize("name", ["12:30.mp4", "file:y.mp4", "pipe:1.mkv", "-.mp4"])
def test_a_recording_named_like_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    begun(Path(name)).close()

    assert names_in(tmp_path) == [name]


@pytest.mark.parametrize(("width", "height"), [(2, 2), (6, 4), (64, 48)])
def test_packed_layouts_have_the_chroma_of_i420(width: int, height: int) -> None:
    image = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
    planes, yuyv, uyvy = (to_yuv(image, layout) for layout in LAYOUTS)

    assert (yuyv[..., ::-1] == uyvy).all() and (yuyv[..., 0] == planes[:height]).all()
    for first, plane in enumerate(planes[height:].reshape(2, height // 2, width // 2)):
        assert (yuyv[0::2, first::2, 1] == plane).all()
        assert (yuyv[1::2, first::2, 1] == plane).all()


def matted() -> Picture:
    """A person of random colours before a white background; every alpha occurs."""
    foreground = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    alpha = np.resize(np.arange(256, dtype=np.uint8), (HEIGHT, WIDTH))
    composite = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    return Picture(composite, PictureKind.COMPOSITE, alpha=alpha, foreground=foreground)


def check_person(sent: NDArray[np.uint8]) -> None:
    """The colours that a reader multiplies by alpha give the person of `matted`; clear pixels
    are black.
    """
    person = matted().foreground
    alpha = matted().alpha
    assert person is not None and alpha is not None and (sent[..., 3] == alpha).all()
    shares = alpha[..., None] / 255
    assert np.abs(sent[..., :3] * shares - person * shares).max() <= 1
    assert not sent[alpha == 0].any()
    assert (sent[..., :3][alpha == 255] == person[alpha == 255]).all()


def test_pixels_multiply_to_the_person_between_clear_bars_and_a_card_is_opaque() -> None:
    check_person(to_bgra(matted(), WIDTH, HEIGHT))
    wide = to_bgra(matted(), 2 * WIDTH, HEIGHT)
    assert wide.shape == (HEIGHT, 2 * WIDTH, 4) and wide.any() and not wide[:, : WIDTH // 2].any()
    card = Picture(np.full((HEIGHT, WIDTH, 3), 40, np.uint8), PictureKind.STANDBY)
    assert (to_bgra(card, WIDTH, HEIGHT) == (40, 40, 40, 255)).all()


def test_scaling_does_not_darken_the_edge() -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, : WIDTH // 2 + 1] = 255
    person = np.full((HEIGHT, WIDTH, 3), (40, 120, 220), np.uint8)
    half = to_bgra(
        Picture(person, PictureKind.COMPOSITE, alpha=alpha, foreground=person),
        WIDTH // 2,
        HEIGHT // 2,
    )
    seen = half[half[..., 3] > 0]

    assert len(seen) < half[..., 3].size
    assert np.abs(seen[:, :3].astype(int) - (40, 120, 220)).max() <= 2


@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (WIDTH // 2, HEIGHT // 2)])
@pytest.mark.parametrize("alpha", [0, 1, 3, 12])
def test_faint_pixels_hold_no_more_of_the_room_than_a_composite(
    alpha: int, size: tuple[int, int]
) -> None:
    room = np.arange(HEIGHT * WIDTH * 3, dtype=np.uint8).reshape(HEIGHT, WIDTH, 3)
    faint = np.full((HEIGHT, WIDTH), alpha, np.uint8)
    sent = to_bgra(Picture(room, PictureKind.COMPOSITE, alpha=faint, foreground=room), *size)

    assert (sent[..., 3] == alpha).all() and (alpha or not sent.any())
    assert len(np.unique(sent[..., :3])) <= alpha + 1, (
        "as many levels as alpha leaves in a composite"
    )


@pytest.mark.parametrize(
    ("layouts", "chosen", "bgra"),
    [((RAW_LAYOUTS,), "BGRA", [0, 1, 2, 3]), ((("RGBA", "YUY2"),), "RGBA", [2, 1, 0, 3])],
)
def test_alpha_through_pipewire_is_exact(
    pipewire: PrivateSession,
    layouts: tuple[tuple[PixelLayout, ...]],
    chosen: PixelLayout,
    bgra: list[int],
) -> None:
    """OBS takes RGBA, and no BGRA, from a PipeWire camera. bgra: the places of these channels."""
    with (
        sender(Outgoing(matted()), PipeWireCamera(WIDTH, HEIGHT, 30, alpha=True)),
        closing(
            NodeReader("mattecam", (WIDTH, HEIGHT), Fraction(30), layouts=layouts, follows=True)
        ) as reader,
    ):
        frame = next_frame(reader)
    assert frame.video.layout == chosen
    check_person(np.frombuffer(frame.data, np.uint8).reshape(HEIGHT, WIDTH, 4)[..., bgra])
