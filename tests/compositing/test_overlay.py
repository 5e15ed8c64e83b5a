"""Overlays: safe area, places, mirroring, placeholders, and nothing but themselves is drawn."""

from __future__ import annotations

import base64
import contextlib
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.compositing.overlay import (
    SAFE_MARGIN,
    Overlay,
    OverlayKey,
    draw,
    render_overlay,
    safe_size,
    shown_text,
    wanted_overlay,
)
from app.core.errors import BackgroundError
from app.core.settings import OverlayPlace, OverlaySettings
from app.core.types import BgrImage, Patch
from app.media.image_file import render_svg

WIDTH, HEIGHT = 320, 180
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}">'
    '<rect width="2000" height="1000" fill="#ff0000" fill-opacity="0.5"/></svg>'
)


def logo(tmp_path: Path, width: int = 80, height: int = 40) -> Path:
    """Return a PNG file: left half opaque green, right half transparent."""
    image = np.zeros((height, width, 4), np.uint8)
    image[:, : width // 2] = 0, 255, 0, 255
    path = tmp_path / "logo.png"
    cv2.imwrite(str(path), image)
    return path


def drawn(overlay: Overlay, seed: int = 0) -> tuple[BgrImage, BgrImage]:
    """Return a picture before and after the overlay was drawn."""
    before = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    after = before.copy()
    draw(overlay, after)
    return before, after


def changed_box(overlay: Overlay) -> tuple[int, int, int, int]:
    """Return (top, left, bottom, right) of the pixels that changed."""
    before, after = drawn(overlay)
    rows, columns = np.nonzero((before != after).any(axis=2))
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1


@given(
    seed=st.integers(0, 1 << 20), top=st.integers(0, 20), left=st.integers(0, 20), width=st.integers(1, 40),
    height=st.integers(1, 30),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_an_overlay_draws_itself_and_nothing_else(seed: int, top: int, left: int, width: int, height: int) -> None:
    dice = np.random.default_rng(seed)
    alpha = dice.choice(np.array([0, 0, 1, 128, 255], np.uint8), (height, width, 1))
    colours = (dice.integers(0, 256, (height, width, 3)) * (alpha / 255)).astype(np.uint8)
    overlay = (Patch(top, left, colours, np.repeat(255 - alpha, 3, axis=2)),)
    before, after = drawn(overlay, seed)
    region = slice(top, top + height), slice(left, left + width)
    expected = before.astype(float)
    expected[region] = colours + before[region] * (1 - alpha / 255)
    assert np.abs(after - expected).max() <= 1
    hidden = np.zeros((HEIGHT, WIDTH), bool)
    hidden[region] = alpha[..., 0] > 0
    np.testing.assert_array_equal(after[~hidden], before[~hidden])
    np.testing.assert_array_equal(after[region][alpha[..., 0] == 255], colours[alpha[..., 0] == 255])


@pytest.mark.parametrize("mirrored", [False, True], ids=["plain", "mirrored"])
@pytest.mark.parametrize("place", get_args(OverlayPlace))
def test_everything_stays_inside_the_safe_area(place: OverlayPlace, mirrored: bool, tmp_path: Path) -> None:
    file = logo(tmp_path, 900, 100)
    overlay = OverlaySettings(file=file, place=place, text="Ada " * 25, text_place=place, size=400)
    top, left, bottom, right = changed_box(render_overlay(OverlayKey(overlay, WIDTH, HEIGHT, mirrored)))
    assert top >= int(HEIGHT * SAFE_MARGIN) and bottom <= HEIGHT - int(HEIGHT * SAFE_MARGIN)
    assert left >= int(WIDTH * SAFE_MARGIN) and right <= WIDTH - int(WIDTH * SAFE_MARGIN)


def test_a_picture_is_shown_in_its_own_size_at_720_rows(tmp_path: Path) -> None:
    key = OverlayKey(OverlaySettings(file=logo(tmp_path)), 1280, 720, False)
    (patch,) = render_overlay(key)
    assert patch.colours.shape == (40, 80, 3)
    (half,) = render_overlay(OverlayKey(key.settings, 640, 360, False))
    assert half.colours.shape == (20, 40, 3)


def test_a_mirrored_output_shows_it_the_right_way_round(tmp_path: Path) -> None:
    settings = OverlaySettings(file=logo(tmp_path), place="top-left", text="Ada", text_place="bottom-right")
    plain, mirrored = (np.zeros((HEIGHT, WIDTH, 3), np.uint8) for _ in range(2))
    draw(render_overlay(OverlayKey(settings, WIDTH, HEIGHT, False)), plain)
    draw(render_overlay(OverlayKey(settings, WIDTH, HEIGHT, True)), mirrored)
    np.testing.assert_array_equal(mirrored[:, ::-1], plain)
    assert plain[: HEIGHT // 2, : WIDTH // 2].any() and not plain[: HEIGHT // 2, WIDTH // 2 :].any()


def test_svg_files_are_rendered_with_alpha_and_shrunk_to_the_safe_area(tmp_path: Path) -> None:
    path = tmp_path / "logo.svg"
    path.write_text(SVG.format(4000, 1000))
    (patch,) = render_overlay(OverlayKey(OverlaySettings(file=path), WIDTH, HEIGHT, False))
    width, height = safe_size(WIDTH, HEIGHT)
    assert abs(patch.colours.shape[1] - width) <= 1 and patch.colours.shape[0] == pytest.approx(width / 4, abs=1)
    assert height >= patch.colours.shape[0]
    blue, green, red = patch.colours[10, 10]
    assert (blue, green) == (0, 0) and abs(int(red) - 128) <= 1
    assert int(patch.remaining[10, 10, 0]) == pytest.approx(127, abs=1)
    assert patch.remaining[10, -10, 0] == 255, "the transparent half"


def svg(body: str, head: str = "") -> str:
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'{head}<svg {names} width="40" height="40">{body}</svg>'


def shows_something(path: Path, text: str) -> bool:
    path.write_text(text)
    return bool(render_svg(path, 1.0, (80, 80)).any())


def embedded(data: bytes, kind: str = "png") -> str:
    content = base64.b64encode(data).decode()
    return svg(f'<image width="40" height="40" xlink:href="data:image/{kind};base64,{content}"/>')


def test_an_svg_shows_no_picture_of_another_file(tmp_path: Path) -> None:
    """A snapshot or a plate may show the room, and a text may be a secret."""
    room, path, secret = tmp_path / "room.png", tmp_path / "logo.svg", tmp_path / "secret.txt"
    secret.write_text("a secret")
    cv2.imwrite(str(room), np.full((40, 40, 3), 200, np.uint8))
    linked = svg(f'<image width="40" height="40" xlink:href="{room}"/>')
    entity = svg('<image width="40" height="40" href="&room;"/>', f'<!DOCTYPE svg [<!ENTITY room "{room}">]>')
    for text in (linked, linked.replace(str(room), f"file://{room}"), linked.replace("xlink:", ""), entity):
        assert not shows_something(path, text)
    for kind in ("png", "svg+xml"):
        assert not shows_something(path, embedded(linked.encode(), kind))
    words = '<text y="30" font-size="30">&x;</text>'
    with contextlib.suppress(BackgroundError):
        assert not shows_something(path, svg(words, f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file://{secret}">]>'))


def test_an_svg_shows_what_it_contains(tmp_path: Path) -> None:
    path = tmp_path / "logo.svg"
    assert shows_something(path, embedded(cv2.imencode(".png", np.full((40, 40, 3), 200, np.uint8))[1].tobytes()))
    assert shows_something(path, svg('<defs><rect id="r" width="9" height="9"/></defs><use xlink:href="#r"/>'))
    assert shows_something(
        path, svg("<rect width='9' height='9' fill='&red;'/>", "<!DOCTYPE svg [<!ENTITY red '#f00'>]>")
    )
    assert shows_something(path, svg("<style>.a{fill:#0f0}</style><rect class='a' width='9' height='9'/>"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("logo.svg", b"no SVG", "damaged"),
        ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'", "damaged"),
        ("logo.png", b"no PNG", "not a readable image"),
        ("logo.svg", None, "does not exist"),
        ("logo.png", None, "does not exist"),
    ],
)
def test_a_bad_file_is_one_sentence(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BackgroundError, match=message) as raised:
        render_overlay(OverlayKey(OverlaySettings(file=path), WIDTH, HEIGHT, False))
    assert name in str(raised.value)


def test_a_clock_is_rendered_again_each_minute_and_a_name_never() -> None:
    def at(minute: int) -> datetime:
        return datetime(2026, 11, 21, 9, minute)

    clock, name = OverlaySettings(text="{time}, {date}"), OverlaySettings(text="Ada")
    keys = [wanted_overlay(clock, WIDTH, HEIGHT, False, lambda m=m: at(m)) for m in (5, 5, 6)]  # type: ignore[misc]
    assert keys[0] == keys[1] != keys[2]
    assert wanted_overlay(name, WIDTH, HEIGHT, False, lambda: at(5)) == wanted_overlay(
        name, WIDTH, HEIGHT, False, lambda: at(6)
    )
    assert keys[0] is not None and shown_text(clock.text, keys[0].minute) == "09:05, 2026-11-21"
    assert wanted_overlay(OverlaySettings(text="  "), WIDTH, HEIGHT, False) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no tzset")
def test_a_clock_follows_the_machine_to_another_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It went on in the zone in which the program was started."""
    clock = OverlaySettings(text="{time}, {date}")
    with monkeypatch.context() as journey:
        for zone, hours in (("UTC0", 0), ("JST-9", 9), ("HST10", -10)):
            journey.setenv("TZ", zone)
            key, now = wanted_overlay(clock, WIDTH, HEIGHT, False), datetime.now(timezone(timedelta(hours=hours)))
            assert key is not None
            shown = datetime.strptime(key.minute, "%Y-%m-%d %H:%M").replace(tzinfo=now.tzinfo)
            assert abs((now - shown).total_seconds()) < 120
    time.tzset()
