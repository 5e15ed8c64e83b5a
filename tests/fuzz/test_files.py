"""Damaged files and random command lines: each gives what its reader documents, never another exception."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import shutil
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import cast

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
from app.control.commands import parse_words
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
from app.core.settings import BackgroundSettings
from app.core.types import check_bgr
from app.core.user_file import BrokenFileError
from app.effects.zones import Zone, ZonesFile
from app.gui.backgrounds.library import add_picture, thumbnail
from app.matting.plate.picture import plate_info, plate_path, read_plate, save_plate
from app.media.image_file import kind_of_file, read_image
from app.settings import Settings
from models import weights
from models.errors import WeightsDamagedError
from models.table import NETWORKS
from tests.backgrounds.files import photo as noisy
from tests.clips import numbered, writing
from tests.fuzz.damage import damaged, sampled
from tests.paths import ROOT
from tests.stand_ins import always

HEIGHT = 36
WIDTH = 64
PICTURE = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
FRAMES = 12
BACKDROPS = 5
SLOWEST_S = 30.0


def zones_file(folder: Path) -> Path:
    path = folder / "zones.json"
    zones = Zone(points=((0.1, 0.2), (0.5, 0.75)), radius=0.1), Zone(points=((0.9, 0.1),))
    path.write_text(
        json.dumps(
            Settings().people.replace(zones=zones).model_dump(mode="json", include={"zones"})
        )
    )
    assert read_zones(path, ZonesFile) == zones
    return path


def own_background(_folder: Path) -> Path:
    paths.backgrounds_dir().mkdir(parents=True)
    return add_picture(PICTURE, "wall")


def show_thumbnail(path: Path) -> None:
    """The library has no index: its folder is listed, and a damaged file shows a broken tile."""
    assert own_backgrounds() == ((path, path.stem),)
    assert thumbnail(path, 32, 18).shape == (18, 32, 3)


def plate(_folder: Path) -> Path:
    path = plate_path("usb-1", WIDTH, HEIGHT)
    save_plate(path, PICTURE, "usb-1")
    return path


def note_of_plate(folder: Path) -> Path:
    path = plate(folder)
    return path.with_name(f"{path.name}.json")


def record_of_weights(_folder: Path) -> Path:
    file = weights.user_folder() / NETWORKS["bgmv2-resnet101"].weights.file
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    weights.hash_record(file).write_text(f"{hashlib.sha256(b'weights').hexdigest()}  {file.name}\n")
    return weights.hash_record(file)


def check_weights(record: Path) -> None:
    file = record.with_suffix("")
    assert weights.hash_record(file) == record
    is_intact = weights.recorded_sha256(file) in (None, hashlib.sha256(b"weights").hexdigest())
    with (
        contextlib.nullcontext()
        if is_intact
        else pytest.raises(WeightsDamagedError, match=file.name)
    ):
        weights.check_intact("bgmv2-resnet101", file)


def picture(form: str, folder: Path) -> Path:
    path = folder / f"case.{form.lower()}"
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(noisy(120, 90)).convert("P" if form == "GIF" else "RGB")
    image.save(path, form, exif=exif, compression="tiff_lzw")  # each format takes what it knows
    return path


def photo(name: str, folder: Path) -> Path:
    """Of a telephone; the libraries of HEIC and AVIF raise errors of their own."""
    return Path(shutil.copy(ROOT / "tests/field/photo_folder_with_other_types" / name, folder))


def show_picture(path: Path) -> None:
    kind_of_file(path)
    with contextlib.suppress(PlateError):
        check_bgr(read_plate(path, 120, 90))
    check_bgr(read_image(path))


def video(suffix: str, codec: str, folder: Path) -> Path:
    path = folder / f"case.{suffix}"
    size = (64, 48)
    pixels = {"gif": "rgb8", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
    with writing(path, codec, rate=25, size=size, pixels=pixels) as (container, stream):
        for number in range(FRAMES):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(numbered(number, *size), "bgr24"))
            )
    return path


def play_as_background(path: Path) -> None:
    with contextlib.closing(
        open_background(BackgroundSettings(kind="video", path=path))
    ) as background:
        for moment in range(BACKDROPS):
            image = background.backdrop(80, 60, moment * 0.2)
            assert (
                isinstance(image, np.ndarray)
                and image.shape == (60, 80, 3)
                and image.dtype == np.uint8
            )


def play_as_source(path: Path) -> None:
    with contextlib.closing(VideoFileSource(path, realtime=False)) as source:
        for _ in range(4 * FRAMES):
            if (frame := source.read()) is not None:
                check_bgr(frame.image)


def settings_of(folder: Path) -> Path:
    settings_file.save(folder / "settings.json", Settings())
    return folder / "settings.json"


def scenes(folder: Path) -> Path:
    store = SceneStore(folder / "scenes.json")
    store.put(
        "Work",
        Settings(background=Settings().background.replace(kind="image", path="/pictures/büro.png")),
    )
    store.put("Evening", Settings(paused=True))
    return folder / "scenes.json"


def load_both(path: Path) -> None:
    """Assert that loading gives settings for any content, and that no content is overwritten that was not read."""
    data = path.read_bytes()
    store = SceneStore(path)
    kept = path.with_name(f"{path.name}.bad")
    loaded, _warning = settings_file.load(path)
    assert isinstance(loaded, Settings) and path.read_bytes() == data
    is_read = settings_file.save(path, loaded) is None
    assert is_read or kept.read_bytes() == data
    assert settings_file.read(path) == loaded
    path.write_bytes(data)
    try:
        names = store.names()
    except SettingsError:
        names = ()
    for name in names:
        try:
            assert isinstance(store.get(name), Scene)
        except SettingsError as error:  # noqa: PERF203 - every scene is read
            assert f"“{name}”" in str(error)
    for file in path.parent.iterdir():
        file.unlink()


def read_zones_file(path: Path) -> object:
    return read_zones(path, ZonesFile)


def check_plate(path: Path) -> None:
    check_bgr(read_plate(path, WIDTH, HEIGHT))


def info_of_plate(path: Path) -> object:
    return plate_info(path.with_suffix(""))


Reader = tuple[Callable[[Path], Path], Callable[[Path], object], tuple[type[Exception], ...]]
VIDEOS = {
    "mp4": "libx264",
    "mkv": "libx264",
    "webm": "libvpx-vp9",
    "avi": "mpeg4",
    "mov": "mjpeg",
    "gif": "gif",
}
READERS: dict[str, Reader] = {
    "settings": (settings_of, load_both, ()),
    "scenes": (scenes, load_both, ()),
    "zones": (zones_file, read_zones_file, (UsageError,)),
    "a background of the user": (own_background, show_thumbnail, (BackgroundError,)),
    "a plate": (plate, check_plate, (PlateError,)),
    "what is noted beside a plate": (note_of_plate, info_of_plate, ()),
    "the record of a checksum": (record_of_weights, check_weights, ()),
    **{
        form: (partial(picture, form), show_picture, (BackgroundError,))
        for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000")
    },
    **{
        name: (partial(photo, name), show_picture, (BackgroundError,))
        for name in ("IMG_0002.HEIC", "IMG_0004.avif")
    },
    **{
        f"{suffix} as a background": (
            partial(video, suffix, codec),
            play_as_background,
            (BackgroundError,),
        )
        for suffix, codec in VIDEOS.items()
    },
    **{
        f"{suffix} as a source": (
            partial(video, suffix, codec),
            play_as_source,
            (SourceOpenError, SourceLostError),
        )
        for suffix, codec in VIDEOS.items()
    },
}
"""What makes a whole file, what reads it, and the errors, which name the file, that refuse a damaged one."""


@sampled(20, 1000)
@pytest.mark.parametrize("kind", READERS)
def test_a_damaged_file_is_read_or_refused_by_its_name(
    kind: str, cases: int, tmp_path: Path
) -> None:
    make, read, refusals = READERS[kind]
    path = make(tmp_path)
    whole = path.read_bytes()
    read(path)
    quick = 8 if path.suffix == ".json" else 1
    for data in (b"", *damaged(whole, quick * cases, seed=len(kind))):
        path.write_bytes(data)
        started_s = time.process_time()
        try:
            read(path)
        except refusals as error:
            assert path.name in str(error)
        assert time.process_time() - started_s < SLOWEST_S


@pytest.mark.parametrize(
    "fields",
    [{"camera": "usb-1", "taken_at_s": 10**400}, {"camera": 1}, {"camera": "a", "width": "b"}, []],
)
def test_an_odd_note_beside_a_plate_is_none(fields: object, tmp_path: Path) -> None:
    note = note_of_plate(tmp_path)
    note.write_text(json.dumps(fields))

    assert plate_info(note.with_suffix("")) is None


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
@pytest.mark.parametrize(
    ("name", "read", "words"),
    [
        ("photo.png", read_image, "not a readable image"),
        ("plate.png", check_plate, "not a readable image"),
        ("zones.json", read_zones_file, "zones.json"),
    ],
)
def test_a_pipe_is_refused_without_waiting_for_a_writer(
    tmp_path: Path, name: str, read: Callable[[Path], object], words: str
) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(MattecamError, match=words):
        read(tmp_path / name)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
def test_the_kind_of_a_pipe_is_told_by_its_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "photo.png")
    assert kind_of_file(tmp_path / "photo.png") == "image"


def lists_and_objects(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lists_and_objects,
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["version", "capture", "matting", "background", "output", "paused", "frozen", "width", "fps", "kind", "path",
     "edges", "grow_px", "downsample_ratio", "record", "scenes", "weights", "colour"]
)  # fmt: skip
DEFAULTS = Settings().model_dump(mode="json")
PLACES = [
    (group, name)
    for group, fields in DEFAULTS.items()
    if isinstance(fields, dict)
    for name in fields
]
OTHER_VALUES = st.sampled_from([DEFAULTS[group][name] for group, name in PLACES]) | JSON
"""Those of other settings, of which many are possible, and any other ones."""


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PLACES), OTHER_VALUES)
def test_a_settings_file_with_one_other_value_is_read_or_refused_by_name(
    place: tuple[str, str], value: object
) -> None:
    group, name = place
    changed = {**DEFAULTS, group: {**DEFAULTS[group], name: value}}

    try:
        parsed = settings_file.parse(changed)
    except BrokenFileError as error:
        assert group in str(error)
        return

    written = parsed.model_dump(mode="json")
    assert settings_file.parse(written) == parsed
    assert {each: written[each] for each in DEFAULTS if each != group} == {
        each: DEFAULTS[each] for each in DEFAULTS if each != group
    }


def test_deep_nesting_and_huge_numbers(tmp_path: Path) -> None:
    deep = b'{"capture": ' * 5000 + b"1" + b"}" * 5000
    for data in (
        deep,
        b"[" * 100_000,
        b'{"version": 1' + b"0" * 5000 + b"}",
        b'{"version": 1e999}',
        b"\xef\xbb\xbf{}",
    ):
        (tmp_path / "settings.json").write_bytes(data)
        load_both(tmp_path / "settings.json")


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_lines_for_the_control_socket(line: bytes) -> None:
    with contextlib.suppress(UsageError):
        assert parse_words(line.decode("utf-8", "surrogateescape").split(" ", 1))


HUGE = ((200_000, 200_000), (40_000, 40_000), (200_000, 10), (15_000, 15_000), (0, 5), (1 << 30, 1))


@pytest.mark.parametrize(("width", "height"), HUGE)
def test_a_small_file_that_promises_a_huge_picture(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "huge.png"
    Image.new("RGB", (5, 6)).save(path)
    data = bytearray(path.read_bytes())
    struct.pack_into(">II", data, 16, width, height)
    struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))
    path.write_bytes(data)
    with pytest.raises(
        BackgroundError, match=r"huge\.png is too large" if height >= 40_000 else r"huge\.png"
    ):
        read_image(path)
    with pytest.raises(PlateError):
        read_plate(path, 120, 90)


def words_of(command: object) -> Iterator[str]:
    """Yield the options of a command, and the names and options of those below it."""
    for parameter in getattr(command, "params", ()):
        yield from (*parameter.opts, *parameter.secondary_opts)
    for name, below in getattr(command, "commands", {}).items():
        yield from (name, *words_of(below))


WHOLE = typer.main.get_command(main.app)
COMMANDS = [*getattr(WHOLE, "commands"), "nonsense"]  # noqa: B009 - typer's own type for groups is private
CHANGES_THE_MACHINE = {"--fix"}
WORDS = [
    *sorted({*words_of(WHOLE)} - CHANGES_THE_MACHINE),
    *NETWORKS,
    "broken.json",
    "-h",
    "--",
    "-",
]
VALUES = [
    "auto", "demo", "camera:0", "camera:/dev/video99", "camera:-1", "1280x720", "0x0", "99999x1", "12x", "30", "0",
    "-1", "nan", "inf", "1e999", "0.25", "2", "blur", "blur:50", "blur:", "blur:101", "#123456", "#12", "green", "none",
    "off", "cpu", "cuda:99", "mps", "eager", "float16", "MJPG", "", " ", "\n", "é💡", "\udcff", "/", "/dev/null",
    "/no/such/file",    "x" * 5000, "%s%n", "$(true)", "../..", "a\0b",
]  # fmt: skip


@sampled(50, 1000)
@pytest.mark.usefixtures("resource_tracker")
def test_command_lines(
    cases: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Work that takes long or changes the machine is left out; argument parsing stays real."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MATTECAM_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr("app.gui.application.run_window", always(0))
    monkeypatch.setattr("app.cli.headless.run", always(0))
    monkeypatch.setattr("app.doctor.checks.run_checks", always(()))
    monkeypatch.setattr("app.cli.bench.measure_models", always({"results": []}))
    monkeypatch.setattr("models.download.download", always(tmp_path))
    (tmp_path / "broken.json").write_text("{")
    rng = random.Random(7)
    for _ in range(cases):
        line = [
            *rng.choices(COMMANDS, k=rng.random() < 0.8),
            *rng.choices([*WORDS, *VALUES], k=rng.randrange(10)),
        ]
        for stream in (
            sys.stdout,
            sys.stderr,
        ):  # as Python configures the real streams, unlike those of pytest
            cast("io.TextIOWrapper", stream).reconfigure(errors="backslashreplace")
        code = main.main(line)
        written = capsys.readouterr()
        assert code in (0, 1, 2), line
        assert "Traceback" not in written.err, line
        assert code == 0 or written.err or written.out, f"failed without a word: {line}"
