"""The preview: what it renders, its views, badges and notes."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QEvent, QPoint, QRect, QRegularExpression, Qt
from PyQt6.QtGui import QImage, QRegion
from PyQt6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.core.types import BgrImage, Frame, Picture, PictureKind
from app.gui.application import Session
from app.gui.bars import summarize
from app.gui.preview.rendering import ViewMode, ViewRequest, from_qimage, render, to_qimage
from app.gui.preview.view import Pill, Preview
from app.runtime.status import Lowered, Phase, PipelineStatus
from app.testing.parts import PERSON, ROOM
from tests.gui.conftest import activate
from tests.gui.widgets import Seen, enter, existing, find, made_store, ready, said


def near(image: QImage | None, x: float, y: float, bgr: tuple[int, int, int]) -> bool:
    if image is None:
        return False
    colour = image.pixelColor(int(x * image.width()), int(y * image.height()))
    return max(abs(a - b) for a, b in zip((colour.blue(), colour.green(), colour.red()), bgr, strict=True)) < 6


def test_the_preview_is_rendered_anew_on_a_screen_of_another_scale(session: Session, qtbot: QtBot) -> None:
    """It stayed blurred until the window was resized."""
    preview, requests = ready(session, qtbot), list[ViewRequest | None]()
    preview.view_requested.connect(requests.append)
    ratio = 2 * preview.devicePixelRatioF()
    preview.devicePixelRatioF = lambda: ratio  # type: ignore[method-assign]
    QApplication.sendEvent(preview, QEvent(QEvent.Type.DevicePixelRatioChange))
    assert [(each.width, each.height) for each in requests if each] == [
        (round(preview.width() * ratio), round(preview.height() * ratio))
    ]


def test_view_mode_buttons_and_keys(session: Session, qtbot: QtBot) -> None:
    preview = ready(session, qtbot)
    looks = {
        ViewMode.ORIGINAL: ROOM,
        ViewMode.MATTE: (0, 0, 0),
        ViewMode.COMPOSITE: (40, 40, 40),
        ViewMode.COMPARE: ROOM,
    }
    for mode, corner in looks.items():
        qtbot.mouseClick(find(session.window, QPushButton, f"view_{mode.value}"), Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda corner=corner: near(preview.image, 0.1, 0.1, corner))  # type: ignore[misc]
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: near(preview.image, 0.5, 0.8, PERSON) and not near(preview.image, 0.1, 0.1, ROOM))


def test_the_divider_follows_the_mouse_and_the_arrow_keys(session: Session, qtbot: QtBot) -> None:
    preview = ready(session, qtbot)
    session.window.action_bar.set_mode(ViewMode.COMPARE)
    session.store.edit("framing", zoom=2)
    framing = session.store.current.framing
    requests: list[ViewRequest] = []
    preview.view_requested.connect(requests.append)
    rect = preview.picture_rect()
    y = preview.height() // 2
    qtbot.mousePress(preview, Qt.MouseButton.LeftButton, pos=QPoint(int(rect.center().x()), y))
    qtbot.mouseMove(preview, QPoint(int(rect.left() + 0.05 * rect.width()), y))
    qtbot.mouseRelease(preview, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: near(preview.image, 0.12, 0.1, (40, 40, 40)))
    divider = requests[-1].divider
    qtbot.keyClick(preview, Qt.Key.Key_Right)
    assert requests[-1].divider > divider
    assert session.store.current.framing == framing, "neither drags the picture"


def test_the_preview_says_how_it_differs_from_what_others_see(session: Session, qtbot: QtBot) -> None:
    enter(ready(session, qtbot))
    qtbot.waitUntil(lambda: said(session, "viewNote") == "You see a mirror, others do not")
    session.store.edit("output", mirror=True)
    qtbot.waitUntil(lambda: said(session, "viewNote") == "You see what others see")
    session.store.edit("window", mirror_preview=False)
    qtbot.waitUntil(lambda: said(session, "viewNote") == "Others see a mirror, you do not")
    for mode in (ViewMode.ORIGINAL, ViewMode.COMPARE, ViewMode.MATTE, ViewMode.FOREGROUND):
        session.window.action_bar.set_mode(mode)
        qtbot.waitUntil(lambda: said(session, "viewNote") == "Only you see this")
    session.store.set("paused", True)
    assert said(session, "viewNote") == ""


def test_the_notes_at_the_lower_edge_never_overlap(session: Session, qtbot: QtBot) -> None:
    preview = ready(session, qtbot)
    enter(preview)
    figures, note = (find(session.window, QLabel, name) for name in ("figures", "viewNote"))
    qtbot.waitUntil(figures.isVisible)
    for mode, width in product((ViewMode.COMPOSITE, ViewMode.ORIGINAL), (900, 240, 300, 400, 500, 900)):
        session.window.action_bar.set_mode(mode)
        qtbot.waitUntil(lambda: note.text() != "")
        preview.resize(width, width * 9 // 16)
        QApplication.processEvents()
        note_place = note.parentWidget().geometry()  # type: ignore[union-attr]
        assert not figures.geometry().intersects(note_place), width
        assert preview.rect().contains(note_place)
    qtbot.waitUntil(lambda: figures.isVisible() and figures.width() >= figures.sizeHint().width() > 0)


def test_a_button_shows_the_output_as_it_leaves_and_the_mirror_again(session: Session, qtbot: QtBot) -> None:
    preview = ready(session, qtbot)
    enter(preview)
    requests: list[ViewRequest] = []
    preview.view_requested.connect(requests.append)
    switch = find(session.window, QPushButton, "othersSeeButton")
    qtbot.waitUntil(lambda: switch.isVisible() and switch.text() == "Others see")
    assert preview.rect().contains(switch.mapTo(preview, switch.rect().bottomRight()))
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert not requests[-1].mirror
    assert switch.text() == "Mirror"
    assert said(session, "viewNote") == "You see what others see"
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert requests[-1].mirror


def test_the_same_status_again_lays_nothing_out(session: Session, qtbot: QtBot) -> None:
    preview = ready(session, qtbot)
    enter(preview)
    qtbot.waitUntil(lambda: said(session, "viewNote") != "")
    status, camera = session.bridge.status, session.window.panel.camera
    seen = Seen(QEvent.Type.ToolTipChange, QEvent.Type.LayoutRequest, QEvent.Type.ZOrderChange)
    for widget in (preview, *preview.findChildren(QWidget), session.window.panel, camera):
        widget.installEventFilter(seen)

    def lays_out(show: Callable[[PipelineStatus], None], shown: PipelineStatus) -> bool:
        seen.events.clear()
        show(shown)
        QApplication.sendPostedEvents()
        return bool(seen.events)

    def is_idle_the_second_time(show: Callable[[PipelineStatus], None], shown: PipelineStatus) -> bool:
        """Not at once: a picture or a list of devices may arrive meanwhile."""
        lays_out(show, shown)
        return not lays_out(show, shown)

    qtbot.waitUntil(lambda: is_idle_the_second_time(session.bridge.status_changed.emit, status))
    assert lays_out(camera.show_status, PipelineStatus()), "the text goes"
    qtbot.waitUntil(lambda: is_idle_the_second_time(camera.show_status, PipelineStatus()))


def test_nothing_empty_lies_over_the_picture(session: Session, qtbot: QtBot) -> None:
    ready(session, qtbot)
    session.store.edit("background", kind="colour")
    over = [session.window.zones, *session.window.preview.findChildren(Pill, QRegularExpression("Badge$"))]
    qtbot.waitUntil(lambda: all(each.isHidden() for each in over))
    session.store.set("paused", True)
    qtbot.waitUntil(lambda: session.window.badges.state.isVisible())


def test_a_frame_paints_the_picture_alone(qtbot: QtBot) -> None:
    preview = Preview(made_store())
    qtbot.addWidget(preview)
    preview.resize(900, 300)
    image = QImage(400, 300, QImage.Format.Format_RGB32)
    image.fill(0xFF808080)
    preview.show_image(image)
    preview.show()
    qtbot.waitExposed(preview)
    seen = Seen(QEvent.Type.Paint)
    preview.installEventFilter(seen)
    qtbot.waitUntil(lambda: seen.painted.boundingRect() == preview.rect())
    seen.painted = QRegion()
    preview.show_image(image)
    qtbot.waitUntil(lambda: not seen.painted.isEmpty())
    assert seen.painted.boundingRect() == preview.picture_rect().toRect() == QRect(250, 0, 400, 300)


def test_text_is_shown_before_the_first_image(qtbot: QtBot) -> None:
    preview = Preview(made_store())
    qtbot.addWidget(preview)
    preview.resize(300, 200)
    ground = preview.grab().toImage()
    assert preview.image is None
    colours = {ground.pixel(x, y) for x in range(0, 300, 2) for y in range(80, 120)}
    assert len(colours) > 1, "the text is drawn"


WIDTH, HEIGHT = 40, 20


def picture(kind: PictureKind = PictureKind.COMPOSITE, *, foreground: bool = True) -> Picture:
    """A picture with a dark left and a bright right half; each of its images has its own blue value."""

    def image(blue: int) -> BgrImage:
        made = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        made[:, WIDTH // 2 :] = 200
        made[..., 0] = blue
        return made

    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, WIDTH // 2 :] = 255
    frame = Frame(image(20), 0, 0.0)
    return Picture(image(10), kind, alpha, image(30) if foreground else None, frame)


def shown(mode: ViewMode, *, mirror: bool = False, divider: float = 0.5, of: Picture | None = None) -> BgrImage:
    return render(of or picture(), ViewRequest(WIDTH, HEIGHT, mode, mirror, divider))


def test_each_mode_shows_its_own_image() -> None:
    assert shown(ViewMode.COMPOSITE)[5, 5, 0] == 10
    assert shown(ViewMode.ORIGINAL)[5, 5, 0] == 20
    matte = shown(ViewMode.MATTE)
    assert tuple(matte[5, 5, :3]) == (0, 0, 0)
    assert tuple(matte[5, 35, :3]) == (255, 255, 255)
    person = shown(ViewMode.FOREGROUND)
    assert tuple(person[5, 35, :3]) == (30, 200, 200)
    assert person[5, 5, 0] == person[5, 5, 2] != 0, "checkerboard outside the person"
    assert shown(ViewMode.FOREGROUND, of=picture(foreground=False))[5, 35, 0] == 20, "the frame in its place"


def test_comparison_divider_uses_screen_direction() -> None:
    for mirror in (False, True):
        view = shown(ViewMode.COMPARE, mirror=mirror, divider=0.25)
        assert set(view[:, : WIDTH // 4, 0].ravel()) == {20}
        assert set(view[:, WIDTH // 4 :, 0].ravel()) == {10}


@pytest.mark.parametrize("mode", [ViewMode.COMPOSITE, ViewMode.ORIGINAL, ViewMode.MATTE])
def test_a_mirrored_view_shows_everything_the_other_way_round(mode: ViewMode) -> None:
    assert np.array_equal(shown(mode, mirror=True), shown(mode)[:, ::-1])


def test_rendering_leaves_the_picture_as_it_is() -> None:
    given, same = picture(), picture()
    for mode, mirror in product(ViewMode, (False, True)):
        shown(mode, mirror=mirror, of=given)
    assert np.array_equal(given.image, same.image)
    assert given.frame is not None and same.frame is not None and np.array_equal(given.frame.image, same.frame.image)


def test_a_stand_by_card_is_shown_in_every_mode_and_never_mirrored() -> None:
    card = Picture(picture().image, PictureKind.STANDBY)
    for mode in ViewMode:
        assert tuple(shown(mode, mirror=True, of=card)[5, 5, :3]) == (10, 0, 0)


@pytest.mark.parametrize("factor", [2, 2.4, 3, 4, 5.5])
def test_fine_stripes_do_not_alias_in_a_small_view(factor: float) -> None:
    stripes = np.zeros((241, 321, 3), np.uint8)
    stripes[::2] = 200
    view = render(Picture(stripes, PictureKind.COMPOSITE), ViewRequest(round(321 / factor), round(241 / factor)))
    assert np.abs(view[..., :3].astype(int) - 100).max() <= 1


@given(st.integers(1, 300), st.integers(1, 200))
def test_a_view_fills_one_side_and_keeps_the_aspect_ratio(room_width: int, room_height: int) -> None:
    height, width, channels = render(picture(), ViewRequest(room_width, room_height)).shape
    assert 1 <= width <= room_width and 1 <= height <= room_height and channels == 4
    assert width == room_width or height == room_height
    assert abs(width * HEIGHT - height * WIDTH) <= max(WIDTH, HEIGHT)


sides = st.integers(1, 40)


@given(sides, sides, st.integers(0, 2**32 - 1))
def test_round_trip_keeps_pixels_at_every_width(width: int, height: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    assert np.array_equal(from_qimage(to_qimage(image)), image)


def test_a_contiguous_array_is_not_copied_and_lives_as_long_as_the_image() -> None:
    array = np.full((4, 6, 4), 9, np.uint8)
    alive = weakref.ref(array)
    image = to_qimage(array)
    bits = existing(image.constBits())
    assert int(bits) == array.ctypes.data
    del array
    copied = QImage(image)
    del image, bits
    gc.collect()
    assert copied.pixelColor(5, 3).red() == 9
    del copied
    gc.collect()
    assert alive() is None


def test_an_image_of_a_part_owns_its_pixels() -> None:
    whole = np.full((8, 8, 4), 9, np.uint8)
    image = to_qimage(whole[1:5, 2:6])
    whole[:] = 200
    assert image.pixelColor(0, 0).red() == 9
    assert (image.width(), image.height()) == (4, 4)


def test_the_note_is_shown_while_the_pointer_is_over_the_preview(session: Session, qtbot: QtBot) -> None:
    preview = ready(session, qtbot)
    assert said(session, "viewNote") == ""
    for _ in range(2):
        enter(preview)
        qtbot.waitUntil(lambda: said(session, "viewNote") != "")
        QApplication.sendEvent(preview, QEvent(QEvent.Type.Leave))
        assert said(session, "viewNote") == ""


def test_the_frame_rate_is_said_once_at_most(session: Session, qtbot: QtBot) -> None:
    """The preview, the status line and the line below the camera said it."""
    ready(session, qtbot)
    window = session.window
    for on_preview in (True, False):
        session.store.set("window.show_readout", on_preview)
        qtbot.waitUntil(lambda on_preview=on_preview: find(window, QLabel, "figures").isVisible() is on_preview)  # type: ignore[misc]
        shown = [each.text() for each in window.findChildren(QLabel) if each.isVisible()] + [window.status_line.text()]
        assert sum("fps" in text for text in shown) == on_preview, shown
    assert any("fps" in line for line in window.status_line.details), "on a click"
    lowered = replace(session.bridge.status, phase=Phase.RUNNING, busy="", lowered=Lowered(30.0, 0.5, True, 15.0))
    assert summarize(lowered).endswith("This computer is busy – detail 50 %, lighter model")
