"""Names, numbers and values of backgrounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.control.backgrounds import BackgroundFile, Tiles, description, named_background, next_background
from app.control.changes import CommandError
from app.core.errors import UsageError
from app.core.settings import BackgroundSettings

BLUR = BackgroundSettings()


@pytest.fixture
def files(tmp_path: Path) -> list[BackgroundFile]:
    names = {"7-dusk-hills.png": "Dusk hills", "waves.mp4": "waves"}
    for name in names:
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" if name.endswith("png") else b"")
    return [BackgroundFile(tmp_path / file, name) for file, name in names.items()]


def chosen(settings: BackgroundSettings) -> str:
    return settings.path.name if settings.kind in ("image", "video") and settings.path else settings.kind


def test_next_goes_round_and_never_to_none(files: list[BackgroundFile]) -> None:
    settings, seen = BLUR, []
    for _ in range(4):
        settings = next_background(settings, files)
        seen.append(chosen(settings))
    assert seen == ["7-dusk-hills.png", "waves.mp4", "blur", "7-dusk-hills.png"]


@pytest.mark.parametrize("text", ["none", "#336699", "waves"])
def test_next_is_blur_after_anything_that_is_not_listed(files: list[BackgroundFile], text: str) -> None:
    current = named_background(text, BLUR, Tiles(files))
    assert next_background(current, files[:1]).kind == "blur"


@pytest.mark.parametrize("text", ["waves", "green", "blur"])
def test_next_leaves_out_a_blur_that_shows_text(files: list[BackgroundFile], text: str) -> None:
    current = named_background(text, BLUR, Tiles(files))
    assert chosen(next_background(current, files, blur=False)) == "7-dusk-hills.png"


def test_next_without_files() -> None:
    with pytest.raises(CommandError, match="no other background"):
        next_background(BLUR, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dusk hills", "7-dusk-hills.png"),
        ("dusk HILLS", "7-dusk-hills.png"),
        ("7-dusk-hills", "7-dusk-hills.png"),
        ("7-dusk-hills.png", "7-dusk-hills.png"),
        ("dusk-hills", "7-dusk-hills.png"),
        ("waves", "waves.mp4"),
        ("0", "none"),
        ("1", "blur"),
        ("2", "colour"),
        ("4", "7-dusk-hills.png"),
        ("5", "waves.mp4"),
        ("None", "none"),
        ("Blur", "blur"),
        ("blur:20", "blur"),
        ("#102030", "colour"),
        ("green", "colour"),
    ],
)
def test_shown_names_file_names_stems_and_tile_numbers(text: str, expected: str, files: list[BackgroundFile]) -> None:
    assert chosen(named_background(text, BLUR, Tiles(files))) == expected


@pytest.mark.parametrize("text", ["moon", "6", "99"])
def test_errors_list_the_choices(text: str, files: list[BackgroundFile]) -> None:
    with pytest.raises(UsageError, match="0 none, 1 blur, 2 green, 3 colour, 4 Dusk hills, 5 waves"):
        named_background(text, BLUR, Tiles(files))


def test_translated_and_english_names_choose_the_same_tile(files: list[BackgroundFile]) -> None:
    hills = BackgroundFile(files[0].path, "Dämmerhügel", "Dusk hills")
    tiles = Tiles([hills, files[1]], ("Kein", "Unschärfe", "Grün", "Farbe"))
    for names, expected in (
        (("Kein", "none", "0"), "none"),
        (("UNSCHÄRFE", "blur", "1"), "blur"),
        (("Dämmerhügel", "dusk hills", "7-dusk-hills", "4"), "7-dusk-hills.png"),
    ):
        assert {chosen(named_background(name, BLUR, tiles)) for name in names} == {expected}
    assert named_background("grün", BLUR, tiles) == named_background("green", BLUR, tiles)
    with pytest.raises(UsageError, match=r"0 none \(Kein\), 1 blur \(Unschärfe\), .*, 4 Dämmerhügel, 5 waves"):
        named_background("moon", BLUR, tiles)


def test_descriptions(files: list[BackgroundFile], tmp_path: Path) -> None:
    assert description(named_background("4", BLUR, Tiles(files)), files) == "Dusk hills"
    assert description(BackgroundSettings(kind="image", path=tmp_path / "other.png"), files) == "other.png"
    assert description(BackgroundSettings(kind="colour", colour="#102030"), files) == "#102030"
    assert "show the room" in description(BackgroundSettings(kind="none"), files)
