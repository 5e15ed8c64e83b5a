from __future__ import annotations

import contextlib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.config import settings_file
from app.config.scenes import Scene, SceneStore
from app.control.commands import decode_answer, decode_command
from app.core.errors import SettingsError, UsageError
from app.core.files.json_file import BrokenFileError
from app.core.settings import Settings
from tests.fuzz.damage import damaged, sampled

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
    for decode in (decode_command, decode_answer):
        with contextlib.suppress(UsageError):
            assert decode(line)
