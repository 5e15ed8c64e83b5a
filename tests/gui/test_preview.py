"""The preview: view modes, mirroring, divider, resolution."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from PyQt6.QtCore import QEvent, QPoint, QRect, Qt
from PyQt6.QtGui import QColor, QImage, QRegion
from PyQt6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.gui.preview.rendering import ViewMode, ViewRequest
from app.gui.preview.view import Preview
from app.gui.shell.application import Session
from app.runtime.status import PipelineStatus
from app.testing.parts import PERSON, ROOM
from tests.gui.conftest import activate
from tests.gui.widgets import Seen, find, made_store, said


def ready(session: Session, qtbot: QtBot) -> Preview:
    preview = session.window.preview
    qtbot.waitUntil(lambda: preview.image is not None and session.bridge.status.frames_out > 3)
    return preview


def near(image: QImage | None, x: float, y: float, bgr: tuple[int, int, int]) -> bool:
    if image is None:
        return False
    colour = image.pixelColor(int(x * image.width()), int(y * image.height()))
    return max(abs(a - b) for a, b in zip((colour.blue(), colour.green(), colour.red()), bgr, strict=True)) < 6


def test_preview_is_rendered_at_physical_pixels(session: Session, qtbot: QtBot) -> None:
    preview = ready(session, qtbot)
    session.window.resize(1100, 760)

    def sharp() -> bool:
        image = preview.image
        if image is None:
            return False
        ratio = preview.devicePixelRatioF()
        return image.width() == round(preview.width() * ratio) or image.height() == round(preview.height() * ratio)

    qtbot.waitUntil(sharp)
    rect = preview.picture_rect()
    assert abs(rect.width() / rect.height() - 64 / 48) < 0.01


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


def wait_for_corner(qtbot: QtBot, preview: Preview, corner: tuple[int, int, int]) -> None:
    qtbot.waitUntil(lambda: near(preview.image, 0.1, 0.1, corner))


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
        wait_for_corner(qtbot, preview, corner)
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
    ready(session, qtbot)
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
    figures, note = (find(session.window, QLabel, name) for name in ("figures", "viewNote"))
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
    qtbot.waitUntil(lambda: session.window.overlay.isHidden() and session.window.zones.isHidden())
    session.store.set("paused", True)
    qtbot.waitUntil(lambda: session.window.overlay.state.isVisible())


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
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    preview.show_image(image)
    assert preview.grab().toImage().pixelColor(150, 100) == QColor("red")
