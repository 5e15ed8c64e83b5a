"""Files that the program keeps for itself: a damaged one gives what its reader documents, never another exception."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from app.compositing.library import own_backgrounds
from app.config.parsing import read_zones
from app.core.errors import BackgroundError, MattecamError, PlateError, SettingsError
from app.core.files import paths
from app.core.settings import PeopleSettings, Zone
from app.gui.backgrounds.files import add_picture, thumbnail
from app.matting.plate.plate import read_plate
from app.matting.preparation import needed, note_prepared
from app.media.image_file import kind_of_file, read_image, read_image_with_alpha
from app.runtime.plate import PlateInfo, plate_info, plate_path, save_plate
from models import weights
from models.table import NETWORKS
from tests.fuzz.damage import damaged

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
def test_stamp_of_the_preparation(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.matting.selection.measured.PACKAGES", ())
    made = tmp_path / "made"
    made.touch()
    note_prepared([made])
    (stamp,) = (paths.data_dir() / "cache").glob("prepared-*.json")
    whole = json.loads(stamp.read_bytes())
    for data in each_damage(stamp, seed, cases=12):
        try:
            same = json.loads(data) == whole
        except ValueError:
            same = False
        assert needed() != same
    assert not needed()
    for damaged_stamp in (b"[" * 100_000, b"[]", b"{}", b'{"key": "of another version", "files": []}'):
        stamp.write_bytes(damaged_stamp)
        assert needed()


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
        except weights.WeightsDamagedError as error:
            assert recorded != digest
            assert str(file) in str(error)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
@pytest.mark.parametrize(
    ("name", "read", "words"),
    [
        ("photo.png", read_image, "not a readable image"),
        ("photo.png", read_image_with_alpha, "not a readable image"),
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
