"""Offline conversion: exact, with sound, and nothing lost when it goes wrong."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import psutil
import pytest

from app.convert import ConvertReport, Makers, convert
from app.errors import MattecamError, ModelError, SinkError, SinkLostError, UsageError
from app.matting.base import EngineInfo
from app.settings import BackgroundSettings, EdgeSettings, MattingSettings, Settings
from app.types import Backdrop, BgrImage, BlurredRoom, Matte
from tests.clips import number_of, numbered, read_numbers, write_clip

GREEN = Settings(background=BackgroundSettings(kind="colour", colour="#00ff00"))


class HalfEngine:
    """The left half of every picture is the person."""

    info = EngineInfo("half", "none", "uint8", "cpu", 1.0, (1, 1))

    def __init__(self, fail_at: int | None = None, error: BaseException | None = None) -> None:
        self.steps = 0
        self.closed = False
        self._fail_at, self._error = fail_at, error

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        if self.steps == self._fail_at and self._error is not None:
            raise self._error
        self.steps += 1
        assert not isinstance(backdrop, BlurredRoom)
        middle = frame.shape[1] // 2
        composite = frame.copy()
        composite[:, middle:] = backdrop[:, middle:]
        alpha = np.zeros(frame.shape[:2], np.uint8)
        alpha[:, :middle] = 255
        return Matte(composite, alpha, frame // 2 if want_foreground else None)

    def reset(self) -> None: ...

    def close(self) -> None:
        self.closed = True


def makers(engine: HalfEngine | None = None) -> Makers:
    made = engine or HalfEngine()
    return Makers(engine=lambda settings, width, height: made)


def run(source: Path, target: Path, settings: Settings = GREEN, engine: HalfEngine | None = None) -> ConvertReport:
    return convert(source, target, settings=settings, makers=makers(engine))


def pictures(path: Path) -> list[BgrImage]:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(video=0)]


def times_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [round(frame.time, 4) for frame in container.decode(video=0)]


def test_every_frame_once_in_order_with_composite_matte_and_foreground(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 20)
    engine, seen = HalfEngine(), []
    report = convert(
        source,
        tmp_path / "out.mp4",
        settings=GREEN,
        alpha=tmp_path / "alpha.mp4",
        foreground=tmp_path / "fg.mp4",
        progress=lambda done, total: seen.append((done, total)),
        makers=makers(engine),
    )
    assert report == ConvertReport(tmp_path / "out.mp4", 20, True, ())
    assert engine.steps == 20
    assert engine.closed
    assert seen == [*((n, 20) for n in range(1, 21)), (20, 20)]
    out, alpha = pictures(tmp_path / "out.mp4"), pictures(tmp_path / "alpha.mp4")
    assert [number_of(image) >> 3 for image in out] == [number >> 3 for number in range(20)]
    for number, (image, matte) in enumerate(zip(out, alpha, strict=True)):
        expected = numbered(number)
        assert np.abs(image[:, :40].astype(int) - expected[:, :40]).mean() < 12
        assert image[24, 80, 1] > 200 > 60 > image[24, 80, 0]
        assert matte[24, 10].min() > 250
        assert matte[24, 80].max() < 5
    assert len(pictures(tmp_path / "fg.mp4")) == 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alpha.mp4", "fg.mp4", "in.mp4", "out.mp4"]


def test_background_none_keeps_the_frames(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 20)
    report = run(source, tmp_path / "out.mp4", Settings(background=BackgroundSettings(kind="none")))
    assert report.frames == 20
    assert read_numbers(tmp_path / "out.mp4") == list(range(20))


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
def test_uneven_times_are_kept(tmp_path: Path, suffix: str) -> None:
    times = [0, 0.033, 0.067, 0.2, 0.201, 1.5, 1.533]
    source = write_clip(tmp_path / f"in.{suffix}", len(times), times_s=times)
    run(source, tmp_path / "out.mp4", Settings(background=BackgroundSettings(kind="none")))
    assert np.allclose(times_of(tmp_path / "out.mp4"), times, atol=0.0011)
    assert read_numbers(tmp_path / "out.mp4") == list(range(len(times)))


def test_sound_is_kept(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 25, audio="aac")
    run(source, tmp_path / "out.mp4")
    for path in (source, tmp_path / "out.mp4"):
        with av.open(str(path)) as container:
            samples = sum(frame.samples for frame in container.decode(audio=0))
            assert samples == pytest.approx(16_000, abs=2100), path
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"


def test_turned_and_odd_videos(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 3, size=(97, 49), rotation=90)
    run(source, tmp_path / "out.mp4")
    assert [image.shape for image in pictures(tmp_path / "out.mp4")] == [(98, 50, 3)] * 3


def write_pictures(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), numbered(number))
    return folder


def test_a_folder_of_pictures_to_a_folder(tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "in", ["p1.png", "p2.png", "p10.png", "p11.jpg"])
    (source / "notes.txt").write_text("no picture")
    (source / "p3.png").write_bytes(b"broken")
    report = convert(
        source, tmp_path / "out", settings=GREEN, alpha=tmp_path / "alpha", makers=makers(), progress=lambda *_: None
    )
    assert report.frames == 4
    assert len(report.problems) == 1
    assert "1 damaged" in report.problems[0]
    names = ["p1.png", "p10.png", "p11.png", "p2.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert sorted(path.name for path in (tmp_path / "alpha").iterdir()) == names
    image = cv2.imread(str(tmp_path / "out" / "p2.png"))
    assert image is not None
    assert np.array_equal(image[:, :48], numbered(1)[:, :48])
    matte = cv2.imread(str(tmp_path / "alpha" / "p2.png"), cv2.IMREAD_UNCHANGED)
    assert matte is not None
    assert matte.shape == (48, 96)


def test_pictures_of_one_name_and_two_kinds_are_both_kept(tmp_path: Path) -> None:
    report = run(write_pictures(tmp_path / "in", ["a.png", "a.jpg", "b.png"]), tmp_path / "out")
    assert report.frames == 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.jpg.png", "a.png.png", "b.png"]


def test_a_folder_of_pictures_to_a_video(tmp_path: Path) -> None:
    source = write_pictures(tmp_path / "in", [f"{number}.png" for number in range(12)])
    cv2.imwrite(str(source / "12.png"), numbered(12, 48, 96))
    report = run(source, tmp_path / "out.mkv", Settings(background=BackgroundSettings(kind="none")))
    assert report.frames == 13
    assert read_numbers(tmp_path / "out.mkv")[:12] == list(range(12))
    assert times_of(tmp_path / "out.mkv")[:3] == pytest.approx([0, 1 / 30, 2 / 30], abs=1e-3)


def test_a_video_to_a_folder(tmp_path: Path) -> None:
    run(write_clip(tmp_path / "in.mp4", 3), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["000000.png", "000001.png", "000002.png"]


def test_a_video_background_runs_at_its_own_rate(tmp_path: Path) -> None:
    behind = write_clip(tmp_path / "behind.mkv", 10, fps=10)
    source = write_clip(tmp_path / "in.mkv", 20, fps=20)
    settings = Settings(background=BackgroundSettings(kind="video", path=behind))
    run(source, tmp_path / "out.mkv", settings)
    right = [image[24, 56:].mean(axis=1) > 127 for image in pictures(tmp_path / "out.mkv")]
    expected = [numbered(number // 2)[24, 56:].mean(axis=1) > 127 for number in range(20)]
    agree = [np.mean(a == b) > 0.8 for a, b in zip(right, expected, strict=True)]
    assert sum(agree) >= 18


def test_stopped_on_request_what_there_is_is_finished(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 25, audio="aac")
    engine = HalfEngine()
    report = convert(
        source, tmp_path / "out.mp4", settings=GREEN, makers=makers(engine), should_stop=lambda: engine.steps >= 7
    )
    assert (report.frames, report.complete) == (7, False)
    assert len(pictures(tmp_path / "out.mp4")) == 7
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.duration is not None
        assert container.duration < 500_000


def test_ctrl_c_finishes_what_there_is(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 25)
    report = run(source, tmp_path / "out.mp4", engine=HalfEngine(5, KeyboardInterrupt()))
    assert (report.frames, report.complete) == (5, False)
    assert len(pictures(tmp_path / "out.mp4")) == 5


def test_a_failing_network_keeps_what_there_is(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 25)
    engine = HalfEngine(5, ModelError("The network failed."))
    with pytest.raises(ModelError, match=r"The network failed. The first 5 frames are kept."):
        run(source, tmp_path / "out.mp4", engine=engine)
    assert engine.closed
    assert len(pictures(tmp_path / "out.mp4")) == 5


def test_a_failure_at_the_first_frame_leaves_nothing(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 5)
    with pytest.raises(ModelError):
        run(source, tmp_path / "out.mp4", engine=HalfEngine(0, ModelError("The network failed.")))
    with pytest.raises(ModelError):
        run(source, tmp_path / "out", engine=HalfEngine(0, ModelError("The network failed.")))
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_network_that_cannot_be_built_leaves_nothing(tmp_path: Path) -> None:
    def fail(settings: MattingSettings, width: int, height: int) -> HalfEngine:
        raise ModelError("No weights.")

    source = write_clip(tmp_path / "in.mp4", 5)
    with pytest.raises(ModelError):
        convert(source, tmp_path / "out.mp4", settings=GREEN, makers=Makers(engine=fail))
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_damage_in_the_middle_is_left_out_and_told(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mkv", 40).read_bytes()
    source = tmp_path / "cut.mkv"
    source.write_bytes(whole[: len(whole) * 6 // 10])
    report = run(source, tmp_path / "out.mp4", Settings(background=BackgroundSettings(kind="none")))
    assert report.complete
    assert 5 < report.frames < 40
    assert read_numbers(tmp_path / "out.mp4") == list(range(report.frames))


@pytest.mark.parametrize("name", ["in.mp4", "./in.mp4", "sub/../in.mp4"])
def test_the_source_is_never_written_over(tmp_path: Path, name: str) -> None:
    source = write_clip(tmp_path / "in.mp4", 3)
    (tmp_path / "sub").mkdir()
    before = source.read_bytes()
    with pytest.raises(UsageError, match="the source"):
        run(source, tmp_path / name)
    with pytest.raises(UsageError, match="another output"):
        convert(source, tmp_path / "a.mp4", settings=GREEN, alpha=tmp_path / "a.mp4", makers=makers())
    assert source.read_bytes() == before


@pytest.mark.parametrize("target", ["out.txt", "nowhere/out.mp4", "in.mp4/out.mp4"])
def test_a_target_that_cannot_be(tmp_path: Path, target: str) -> None:
    source = write_clip(tmp_path / "in.mp4", 3)
    with pytest.raises(SinkError) as failure:
        run(source, tmp_path / target)
    assert str(failure.value).endswith(".")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.parametrize("source", ["missing.mp4", "text.mp4", "empty"])
def test_a_source_that_is_none(tmp_path: Path, source: str) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MattecamError, match=source):
        run(tmp_path / source, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from app.convert import convert
from app.errors import SinkLostError
from tests.test_convert import GREEN, HalfEngine, makers
class Noise(HalfEngine):
    def step(self, frame, *others, **more):
        matte = super().step(frame, *others, **more)
        matte.composite[:] = np.random.default_rng(self.steps).integers(0, 255, frame.shape, np.uint8)
        return matte
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
try:
    convert(Path(sys.argv[1]), Path(sys.argv[2]), settings=GREEN, makers=makers(Noise()))
except SinkLostError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_full_disk_is_one_sentence_and_the_rest_stays(tmp_path: Path, repo: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 200, fps=50, size=(192, 96))
    command = [sys.executable, "-c", FULL_DISK, str(source), str(tmp_path / "out.mp4")]
    done = subprocess.run(command, cwd=repo, capture_output=True, text=True, timeout=90, check=False)
    assert "there is no room left" in done.stdout, done.stderr
    assert "out.part.mp4" in done.stdout
    assert done.stdout.count("\n") == 1
    assert (tmp_path / "out.part.mp4").stat().st_size > 300_000
    assert not (tmp_path / "out.mp4").exists()


def test_memory_stays_flat(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", 63, fps=30, size=(640, 360))
    process, seen = psutil.Process(), []

    def watch(done: int, total: int | None) -> None:
        seen.append(process.memory_info().rss)

    convert(source, tmp_path / "out.mp4", settings=GREEN, makers=makers(), progress=watch)
    # 30 pictures of this size are 20 MB: queues of the codecs fill at first, then nothing may grow
    assert seen[-1] - seen[40] < 8e6


def test_errors_of_the_disk_are_named(tmp_path: Path) -> None:
    class Broken(HalfEngine):
        def step(self, frame: BgrImage, *others: object, **more: object) -> Matte:
            if self.steps == 2:
                for file in (tmp_path / "out").iterdir():
                    file.unlink()
                (tmp_path / "out").rmdir()
            self.steps += 1
            return Matte(frame, frame[..., 0].copy())

    with pytest.raises(SinkLostError, match=os.strerror(errno.ENOENT)):
        run(write_clip(tmp_path / "in.mp4", 5), tmp_path / "out", engine=Broken())


def test_rates_that_are_no_whole_numbers(tmp_path: Path) -> None:
    times = [float(Fraction(1001, 30000) * number) for number in range(10)]
    source = write_clip(tmp_path / "in.mp4", 10, times_s=times)
    run(source, tmp_path / "out.mp4")
    assert np.allclose(times_of(tmp_path / "out.mp4"), times, atol=0.0011)
