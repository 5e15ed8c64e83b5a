"""Damaged files and random command lines: each gives what its reader documents, never another exception."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar, cast

import av
import numpy as np
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.backgrounds import open_background
from app.backgrounds.kinds import own_backgrounds
from app.capture.video_file import VideoFileSource
from app.cli import main
from app.config import settings_file
from app.config.scenes import Scene, SceneStore
from app.config.setting import read_zones
from app.control.commands import Answer, Command, decoded, parse_words
from app.core import paths
from app.core.errors import (
    BackgroundError,
    MattecamError,
    PlateError,
    SettingsError,
    SourceLostError,
    SourceOpenError,
    UsageError,
)
from app.core.files import BrokenFileError
from app.core.settings import BackgroundSettings, PeopleSettings, Settings, Zone
from app.core.types import check_bgr
from app.gui.backgrounds.library import add_picture, thumbnail
from app.matting.plate.picture import PlateInfo, plate_info, plate_path, read_plate, save_plate
from app.media.image_file import kind_of_file, read_image
from models import weights
from models.errors import WeightsDamagedError
from models.table import NETWORKS
from tests.clips import writing
from tests.fuzz.damage import damaged, sampled
from tests.paths import ROOT

T = TypeVar("T")
SEEDS = range(3)
CASES = 40
HEIGHT, WIDTH = 36, 64
PICTURE = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def each_damage(path: Path, seed: int, cases: int = CASES) -> Iterator[bytes]:
    """Write each damaged version of a file, the empty one included, and yield it. Afterwards the file is whole."""
    whole = path.read_bytes()
    for data in (b"", *damaged(whole, cases, seed)):
        path.write_bytes(data)
        yield data
    path.write_bytes(whole)


def read_or_refused(read: Callable[[], T], refusal: type[Exception], path: Path) -> T | None:
    """Return what `read` returns, or None if it raises the refusal, which names the file."""
    try:
        return read()
    except refusal as error:
        assert path.name in str(error)
        return None


@pytest.mark.parametrize("seed", SEEDS)
def test_zones(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "zones.json"
    zones = (Zone(points=((0.1, 0.2), (0.5, 0.75)), radius=0.1), Zone(points=((0.9, 0.1),)))
    path.write_text(json.dumps(PeopleSettings(zones=zones).model_dump(mode="json", include={"zones"})))
    assert read_zones(path) == zones
    for _ in each_damage(path, seed):
        found = read_or_refused(lambda: read_zones(path), SettingsError, path)
        assert found is None or all(isinstance(zone, Zone) for zone in found)


@pytest.mark.parametrize("seed", SEEDS)
def test_backgrounds_of_the_user(seed: int) -> None:
    """The library has no index: its folder is listed, and a damaged file shows a broken tile."""
    paths.backgrounds_dir().mkdir(parents=True)
    path = add_picture(PICTURE, "wall")
    for _ in each_damage(path, seed):
        assert own_backgrounds() == ((path, path.stem),)
        image = read_or_refused(lambda: thumbnail(path, 32, 18), BackgroundError, path)
        assert image is None or image.shape == (18, 32, 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plate_and_what_is_noted_beside_it(seed: int) -> None:
    path = plate_path("usb-1", WIDTH, HEIGHT)
    save_plate(path, PICTURE, "usb-1")
    for _ in each_damage(path, seed):
        plate = read_or_refused(lambda: read_plate(path, WIDTH, HEIGHT), PlateError, path)
        assert plate is None or plate.shape == PICTURE.shape
    sidecar = path.with_name(f"{path.name}.json")
    for _ in each_damage(sidecar, seed):
        info = plate_info(path)
        assert info is None or isinstance(info, PlateInfo)
    fields = json.loads(sidecar.read_bytes())
    odd: object
    for odd in ({**fields, "taken_at_s": 10**400}, {"camera": 1}, {"camera": "a", "width": "b"}, []):
        sidecar.write_text(json.dumps(odd))
        assert plate_info(path) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_records_of_sha256(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    file = weights.user_folder() / NETWORKS["bgmv2-resnet101"].weights.file
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    weights.hash_record(file).write_text(f"{digest}  {file.name}\n")
    for _ in each_damage(weights.hash_record(file), seed):
        recorded = weights.recorded_sha256(file)
        try:
            weights.check_intact("bgmv2-resnet101", file)
            assert recorded in (None, digest)
        except WeightsDamagedError as error:
            assert recorded != digest
            assert str(file) in str(error)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
@pytest.mark.parametrize(
    ("name", "read", "words"),
    [
        ("photo.png", read_image, "not a readable image"),
        ("plate.png", lambda path: read_plate(path, WIDTH, HEIGHT), "not a readable image"),
        ("zones.json", read_zones, "zones.json"),
    ],
)
def test_a_pipe_is_refused_without_waiting_for_a_writer(
    tmp_path: Path, name: str, read: Callable[[Path], object], words: str
) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(MattecamError, match=words):
        read(tmp_path / name)
    assert kind_of_file(tmp_path / name) == "image" or not name.endswith(".png")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["version", "capture", "matting", "background", "output", "paused", "frozen", "width", "fps", "kind", "path",
     "edges", "grow_px", "downsample_ratio", "record", "scenes", "weights", "colour"]
)  # fmt: skip
NESTED = st.recursive(JSON, lambda inner: st.dictionaries(FIELDS, inner, max_size=6), max_leaves=20)


def load_both(folder: Path, data: bytes) -> None:
    """Assert that loading gives settings for any content, and that the file is kept unchanged under some name."""
    path = folder / "settings.json"
    path.write_bytes(data)
    loaded, warning = settings_file.load(path)
    assert isinstance(loaded, Settings)
    if warning:
        assert path.with_name("settings.json.bad").read_bytes() == data
        path.with_name("settings.json.bad").unlink()
    else:
        assert settings_file.parse(loaded.model_dump(mode="json")) == loaded
        path.unlink()
    path.write_bytes(data)
    store = SceneStore(path)
    for name in store.names():
        get_scene(store, name)
    for file in folder.iterdir():
        file.unlink()


def get_scene(store: SceneStore, name: str) -> None:
    try:
        assert isinstance(store.get(name), Scene)
    except SettingsError as error:
        assert f"“{name}”" in str(error)


def full_file(folder: Path) -> bytes:
    path = folder / "scenes.json"
    store = SceneStore(path)
    store.put("Work", Settings(background=Settings().background.replace(kind="image", path="/pictures/büro.png")))
    store.put("Evening", Settings(paused=True))
    data = path.read_bytes()
    path.unlink()
    return data


@sampled(300, 8000)
def test_broken_files(tmp_path: Path, cases: int) -> None:
    plain = tmp_path / "plain.json"
    settings_file.save(plain, Settings())
    whole = plain.read_bytes()
    plain.unlink()
    for data in damaged(whole, cases // 2, seed=1):
        load_both(tmp_path, data)
    for data in damaged(full_file(tmp_path), cases - cases // 2, seed=2):
        load_both(tmp_path, data)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NESTED)
def test_json_that_holds_something_else(value: object) -> None:
    if isinstance(value, dict):
        try:
            parsed = settings_file.parse(value)
        except BrokenFileError as error:
            assert str(error)
        else:
            assert settings_file.parse(parsed.model_dump(mode="json")) == parsed


def test_deep_nesting_and_huge_numbers(tmp_path: Path) -> None:
    deep = b'{"capture": ' * 5000 + b"1" + b"}" * 5000
    for data in (deep, b"[" * 100_000, b'{"version": 1' + b"0" * 5000 + b"}", b'{"version": 1e999}', b"\xef\xbb\xbf{}"):
        load_both(tmp_path, data)


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_lines_for_the_control_socket(line: bytes) -> None:
    with contextlib.suppress(UsageError):
        assert decoded(Answer, line)
    with contextlib.suppress(UsageError):
        command = decoded(Command, line)
        assert parse_words([command.name, command.argument])


SLOWEST_S, SLOWEST_VIDEO_S = 20.0, 30.0
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000")
PHOTOS = ("IMG_0002.HEIC", "IMG_0004.avif")
"""Of telephones."""


def picture() -> Image.Image:
    rows, columns = np.mgrid[0:90, 0:120]
    pixels = np.stack([rows * 2, columns * 2, (rows * columns) % 251], -1).astype(np.uint8)
    return Image.fromarray(pixels)


def encoded_picture(form: str) -> bytes:
    file = io.BytesIO()
    image = picture().convert("P") if form == "GIF" else picture()
    exif = Image.Exif()
    exif[0x0112] = 6
    options: dict[str, object] = {"exif": exif} if form in ("JPEG", "PNG", "WEBP") else {}
    if form == "TIFF":
        options["compression"] = "tiff_lzw"
    image.save(file, form, **options)
    return file.getvalue()


@sampled(40, 1000)
@pytest.mark.parametrize("form", [*FORMATS, *PHOTOS])
def test_broken_pictures(tmp_path: Path, form: str, cases: int) -> None:
    """The libraries of HEIC and AVIF raise errors of their own."""
    path = tmp_path / f"case.{form.lower()}"
    photo = ROOT / "tests/field/photo_folder_with_other_types" / form
    whole = photo.read_bytes() if form in PHOTOS else encoded_picture(form)
    path.write_bytes(whole)
    read_image(path)
    for data in damaged(whole, cases, seed=len(form)):
        path.write_bytes(data)
        started_s = time.process_time()
        image = read_or_refused(lambda: read_image(path), BackgroundError, path)
        if image is not None:
            check_bgr(image)
        plate = read_or_refused(lambda: read_plate(path, 120, 90), PlateError, path)
        if plate is not None:
            check_bgr(plate)
        kind_of_file(path)
        assert time.process_time() - started_s < SLOWEST_S


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [
        (200_000, 200_000, "too large"),
        (40_000, 40_000, "too large"),
        (200_000, 10, r"huge\.png"),
        (15_000, 15_000, r"huge\.png"),
        (0, 5, r"huge\.png"),
        (1 << 30, 1, r"huge\.png"),
    ],
)
def test_a_small_file_that_promises_a_huge_picture(tmp_path: Path, width: int, height: int, words: str) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path = tmp_path / "huge.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )
    with pytest.raises(BackgroundError, match=words):
        read_image(path)
    with pytest.raises(PlateError):
        read_plate(path, 120, 90)


KINDS = (
    ("mp4", "libx264"),
    ("mkv", "libx264"),
    ("webm", "libvpx-vp9"),
    ("avi", "mpeg4"),
    ("mov", "mjpeg"),
    ("gif", "gif"),
)
VIDEO_WIDTH, VIDEO_HEIGHT, FRAMES = 64, 48, 12


def encoded_video(folder: Path, suffix: str, codec: str) -> bytes:
    path = folder / f"whole.{suffix}"
    pixels = {"gif": "rgb8", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
    with writing(path, codec, rate=25, size=(VIDEO_WIDTH, VIDEO_HEIGHT), pixels=pixels) as (container, stream):
        for index in range(FRAMES):
            image = np.full((VIDEO_HEIGHT, VIDEO_WIDTH, 3), index * 20, np.uint8)
            image[:, index * 5 : index * 5 + 5] = (250, 10, 60)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
    return path.read_bytes()


def play_as_background(path: Path) -> int:
    """Return the number of backdrops that could be shown; -1 if the file was rejected with an error that names it."""
    try:
        background = open_background(BackgroundSettings(kind="video", path=path))
    except BackgroundError as error:
        assert str(path) in str(error) or path.name in str(error)
        return -1
    shown = 0
    with contextlib.closing(background):
        for moment in range(5):
            image = background.backdrop(80, 60, moment * 0.2)
            assert isinstance(image, np.ndarray) and image.shape == (60, 80, 3) and image.dtype == np.uint8
            shown += 1
    return shown


def play_as_source(path: Path) -> int:
    """Return the number of frames read; -1 if the file was rejected with an error that names it."""
    try:
        source = VideoFileSource(path, realtime=False)
    except SourceOpenError as error:
        assert path.name in str(error)
        return -1
    frames = 0
    with contextlib.closing(source):
        try:
            while frames < 4 * FRAMES:
                frame = source.read()
                if frame is not None:
                    check_bgr(frame.image)
                    frames += 1
        except SourceLostError as error:
            assert path.name in str(error)
    return frames


@sampled(20, 2000)
@pytest.mark.parametrize(("suffix", "codec"), KINDS)
def test_broken_videos(tmp_path: Path, suffix: str, codec: str, cases: int) -> None:
    whole = encoded_video(tmp_path, suffix, codec)
    path = tmp_path / f"case.{suffix}"
    path.write_bytes(whole)
    assert play_as_background(path) == 5 and play_as_source(path) == 4 * FRAMES
    for data in damaged(whole, cases, seed=len(codec)):
        path.write_bytes(data)
        started_s = time.process_time()
        assert play_as_background(path) in (-1, 5)
        assert play_as_source(path) >= -1
        assert time.process_time() - started_s < SLOWEST_VIDEO_S


CHANGE_THE_MACHINE = {"--fix"}


def walk(command: object) -> Iterator[object]:
    """Yield the command and all its subcommands."""
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from walk(below)


WHOLE = typer.main.get_command(main.app)
COMMANDS = [*getattr(WHOLE, "commands"), "nonsense"]  # noqa: B009 - typer's own type for groups is private
SECOND = [name for command in walk(WHOLE) if command is not WHOLE for name in getattr(command, "commands", {})]
OPTIONS = sorted(
    option
    for option in {
        option
        for command in walk(WHOLE)
        for parameter in getattr(command, "params", ())
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--")
    }
    - CHANGE_THE_MACHINE
)
FLAGS = [*OPTIONS, "-h", "--", "-"]
VALUES = [
    "auto", "demo", "camera:0", "camera:/dev/video99", "camera:-1", "1280x720", "0x0", "99999x1", "12x", "30", "0",
    "-1", "nan", "inf", "1e999", "0.25", "2", "blur", "blur:50", "blur:", "blur:101", "#123456", "#12", "green", "none",
    "off", "cpu", "cuda:99", "mps", "eager", "float16", "MJPG", "", " ", "\n", "é💡", "\udcff", "/", "/dev/null",
    "/no/such/file",    "x" * 5000, "%s%n", "$(true)", "../..", "a\0b",
]  # fmt: skip


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Replace work that takes long or changes the machine by no-ops; argument parsing stays real."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MATTECAM_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr("app.gui.application.run_window", lambda settings, options: 0)
    monkeypatch.setattr("app.cli.headless.run", lambda start, options: 0)
    monkeypatch.setattr("app.doctor.checks.run_checks", lambda system: ())
    monkeypatch.setattr("app.cli.bench.measure_models", lambda *words: {"results": []})
    monkeypatch.setattr("app.cli.plate.take_plate", lambda *words: tmp_path / "plate.png")
    monkeypatch.setattr("app.cli.machine._download", lambda name, again: tmp_path)
    (tmp_path / "broken.json").write_text("{")


def words(rng: random.Random) -> list[str]:
    line = [rng.choice(COMMANDS)] if rng.random() < 0.8 else []
    for _ in range(rng.randrange(6)):
        kind = rng.random()
        if kind < 0.5:
            line += [rng.choice(OPTIONS), rng.choice([*VALUES, *NETWORKS, "broken.json"])]
        elif kind < 0.65:
            line.append(rng.choice(FLAGS))
        elif kind < 0.8:
            line.append(rng.choice(SECOND))
        else:
            line.append(rng.choice(VALUES))
    return line


@sampled(50, 1000)
def test_command_lines(cases: int, nothing_runs: None, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(7)
    for _ in range(cases):
        line = words(rng)
        for stream in (sys.stdout, sys.stderr):  # as Python configures the real streams, unlike those of pytest
            cast("io.TextIOWrapper", stream).reconfigure(errors="backslashreplace")
        code = main.main(line)
        written = capsys.readouterr()
        assert code in (0, 1, 2), line
        assert "Traceback" not in written.err, line
        assert code == 0 or written.err or written.out, f"failed without a word: {line}"
