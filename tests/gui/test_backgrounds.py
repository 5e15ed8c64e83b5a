"""Backgrounds are chosen, dropped, renamed and removed; scenes are saved, and ask before they show the room."""

from __future__ import annotations

import shutil
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from PyQt6.QtCore import QFile, QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PyQt6.QtWidgets import (
    QApplication,
    QColorDialog,
    QFileDialog,
    QInputDialog,
    QMessageBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.config.scenes import SceneStore, default_path
from app.core import files, paths
from app.core.errors import Remedy, Stage
from app.core.types import BgrImage, PictureKind
from app.gui.application import Session
from app.gui.backgrounds import library
from app.gui.backgrounds.library import add_picture
from app.gui.backgrounds.tiles import TileView
from app.media.image_file import MAX_SIDE, read_image
from tests.clips import write_clip
from tests.gui import widgets as ui
from tests.gui.conftest import activate

COPY = Qt.DropAction.CopyAction


def names(controls: Session) -> list[str]:
    return [tile.name for tile in ui.own(controls)]


def click(controls: Session, qtbot: QtBot, kind: str) -> None:
    strip = controls.window.strip
    index = strip.model.index(
        next(row for row, tile in enumerate(ui.tiles(controls)) if tile.kind == kind)
    )
    strip.view.scrollTo(index)
    qtbot.mouseClick(
        strip.view.viewport(), Qt.MouseButton.LeftButton, pos=strip.view.visualRect(index).center()
    )


def test_number_keys_choose_in_the_order_of_the_strip(
    controls: Session, qtbot: QtBot, picture: Path
) -> None:
    """The key of the first tile was 4, and 1 pressed twice returned to the background before."""
    ui.add(controls, qtbot, picture)
    qtbot.waitUntil(lambda: len(ui.tiles(controls)) > 10)
    activate(controls, qtbot)
    for number in range(1, 10):
        assert controls.window.strip.model.number(number - 1) == number
        for _again in range(2):
            qtbot.keyClick(controls.window, Qt.Key(Qt.Key.Key_0 + number))
            assert ui.tiles(controls)[number - 1].chosen_by(ui.chosen(controls)), f"key {number}"


def test_one_key_always_hides_the_user_and_never_shows_them(
    controls: Session, qtbot: QtBot
) -> None:
    """P pressed twice in haste showed the user again."""
    activate(controls, qtbot)
    for _again in range(3):
        qtbot.keyClick(controls.window, Qt.Key.Key_H)
        assert controls.store.current.paused
    controls.store.set("paused", False)
    dialog = controls.window.open_preferences()
    dialog.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is dialog)
    qtbot.keyClick(dialog, Qt.Key.Key_H)
    assert controls.store.current.paused, "a dialog in front does not take the key"
    assert "H always hides you" in ui.button(controls, "pauseButton").toolTip()


def test_a_blur_that_shows_text_replaces_an_image_after_a_question(
    controls: Session, qtbot: QtBot
) -> None:
    """A single key showed a readable room."""
    controls.store.edit("strict", level="off")
    controls.store.edit("background", kind="blur", blur_strength=20)
    click(controls, qtbot, "green")
    assert ui.asked(controls) is None and ui.chosen(controls).kind == "colour"
    activate(controls, qtbot)
    qtbot.keyClick(controls.window, Qt.Key.Key_1)
    for text, kind in (("Keep it hidden", "colour"), ("Show it", "blur")):
        assert ui.chosen(controls).kind == "colour"
        ui.answer(controls, qtbot, text)
        assert ui.chosen(controls).kind == kind
        click(controls, qtbot, "blur")
    click(controls, qtbot, "green")
    controls.store.edit("background", blur_strength=70)
    click(controls, qtbot, "blur")
    assert ui.asked(controls) is None and ui.chosen(controls).kind == "blur"


def test_background_none_is_last_and_shown_after_a_question_only(
    controls: Session, qtbot: QtBot
) -> None:
    model = controls.window.strip.model
    numbers = (0, len(model.tiles) - 1, len(model.tiles), len(model.tiles) + 1)
    assert [model.numbered(number) for number in numbers] == [*model.tiles[:-3:-1], None, None], (
        "no other shows it"
    )
    assert model.tiles[-1].kind == "none"
    activate(controls, qtbot)
    qtbot.keyClick(controls.window, Qt.Key.Key_0)
    assert ui.asked(controls) is None, "a single key does not select none"
    qtbot.keyClick(controls.window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    ui.answer(controls, qtbot, "Keep it hidden")
    click(controls, qtbot, "none")
    qtbot.keyClick(ui.existing(ui.asked(controls)), Qt.Key.Key_Escape)
    ui.until_not(qtbot, ui.asked, controls)
    controls.window.strip.choose(ui.tiles(controls)[-1])  # as `ctl` does
    assert ui.chosen(controls).kind == "blur"
    ui.answer(controls, qtbot, "Show it")
    assert ui.chosen(controls).kind == "none"
    click(controls, qtbot, "blur")
    assert ui.chosen(controls).kind == "blur"


def test_tiles_are_chosen_by_keys_and_in_a_grid_of_all(controls: Session, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: len(ui.tiles(controls)) > 8)
    activate(controls, qtbot)
    strip = controls.window.strip.view
    model = controls.window.strip.model
    strip.setFocus()
    strip.setCurrentIndex(model.index(1))
    qtbot.keyClick(strip, Qt.Key.Key_Return)
    assert ui.chosen(controls).kind == "colour"
    for key, kind in (
        (Qt.Key.Key_Left, "colour"),
        (Qt.Key.Key_Space, "blur"),
    ):  # moving there does not select it
        qtbot.keyClick(strip, key)
        assert ui.chosen(controls).kind == kind
    controls.window.preview.setFocus()

    def grid() -> TileView:
        ui.button(controls, "allBackgroundsButton").click()
        return controls.window.findChildren(TileView, "backgroundGridList")[-1]

    view = grid()
    viewport = ui.existing(view.viewport())
    qtbot.waitUntil(lambda: viewport.height() > 2 * view.tile_size.height())
    row = next(row for row, tile in enumerate(ui.tiles(controls)) if tile.name == "Bookshelf")
    view.scrollTo(model.index(row))
    qtbot.mouseClick(
        viewport, Qt.MouseButton.LeftButton, pos=view.visualRect(model.index(row)).center()
    )
    assert ui.chosen(controls).path == ui.tiles(controls)[row].path
    qtbot.waitUntil(lambda: controls.window.findChild(TileView, "backgroundGridList") is None)
    assert strip.currentIndex().row() == row
    qtbot.keyClick(grid(), Qt.Key.Key_2)
    assert ui.chosen(controls).kind == "colour", "the tiles show their keys there too"


def shows(session: Session, colour: tuple[int, int, int]) -> bool:
    """Whether the upper left corner of the output has this colour."""
    newest = session.bridge.picture
    return (
        newest is not None
        and newest.kind is PictureKind.COMPOSITE
        and is_near(newest.image, colour)
    )


def is_near(image: BgrImage, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(image[1, 1].astype(int) - np.array(colour)).max() < 3)


def drag_over(widget: QWidget, mime: QMimeData) -> bool:
    """Return whether the widget accepts what is dragged over it."""
    enter = QDragEnterEvent(
        QPoint(5, 5), COPY, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(widget, enter)
    return enter.isAccepted()


def drop(widget: QWidget | None, mime: QMimeData) -> None:
    assert drag_over(ui.existing(widget), mime)
    event = QDropEvent(
        QPointF(5, 5), COPY, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(widget, event)
    assert event.isAccepted()


def mime_of(place: Path | str, image: QImage | None = None) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromUserInput(str(place))])
    if image is not None:
        mime.setImageData(image)
    return mime


def test_what_is_dropped_or_chosen_is_added(
    controls: Session, qtbot: QtBot, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files, and images of a browser, on the tiles and elsewhere."""
    strip = controls.window.strip
    assert not drag_over(controls.window, mime_of("https://example.org/meadow.jpg")), (
        "nothing is downloaded"
    )
    drop(controls.window, mime_of(picture))
    ui.until_is(qtbot, ["beach"], names, controls)
    waves = [Image.new("RGB", (64, 36), (0, 0, 80 * blue)) for blue in range(3)]
    waves[0].save(
        tmp_path / "waves.webp", save_all=True, append_images=waves[1:]
    )  # the content says that it plays
    drop(strip.view.viewport(), mime_of(tmp_path / "waves.webp"))
    ui.until_is(qtbot, "video", ui.kind_chosen, controls)
    qtbot.waitUntil(lambda: [tile.kind for tile in ui.own(controls)] == ["image", "video"])
    qtbot.waitUntil(
        lambda: all(strip.model.image_of(tile) is not None for tile in ui.own(controls))
    )
    image = QImage(50, 31, QImage.Format.Format_RGB32)
    image.fill(QColor(10, 200, 30))
    drop(strip.view.viewport(), mime_of("https://example.org/meadow.jpg", image))
    ui.until(qtbot, ui.has_own, controls, 3)
    ui.until_is(qtbot, "image", ui.kind_chosen, controls)
    assert is_near(read_image(ui.existing(ui.chosen(controls).path)), (30, 200, 10))
    clipboard = ui.existing(QGuiApplication.clipboard())
    for copied, count in ((image, 4), ("no picture", 4)):
        clipboard.setImage(copied) if isinstance(copied, QImage) else clipboard.setText(copied)
        activate(controls, qtbot)
        qtbot.keyClick(controls.window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        ui.until(qtbot, ui.has_own, controls, count)
    assert "no image to paste" in controls.window.notices.error
    same = [tmp_path / str(number) / "beach.png" for number in range(6)]
    for number, path in enumerate(same):
        path.parent.mkdir()
        Image.new("RGB", (600, 400), (40 * number, 0, 0)).save(path)
    ui.button(controls, "addBackgroundButton").click()
    copy = library.add_background
    begin = iter((partial(time.sleep, 0.5),))  # the first one takes longest
    monkeypatch.setattr(
        library, "add_background", lambda path: (next(begin, bool)(), copy(path))[1]
    )
    dialog = ui.find(controls.window, QFileDialog)
    dialog.filesSelected.emit([*map(str, same)])
    dialog.reject()
    ui.until(qtbot, ui.has_own, controls, 10)
    kept = {ui.existing(tile.path).read_bytes() for tile in ui.own(controls)}
    assert kept >= {path.read_bytes() for path in (picture, *same)}, "also those of one name"
    assert ui.existing(ui.chosen(controls).path).read_bytes() == same[-1].read_bytes(), (
        "the last one"
    )
    assert ui.existing(ui.chosen(controls).path).parent == paths.backgrounds_dir()


def test_a_file_that_is_no_picture_does_not_enter_the_library(
    controls: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    for name, words in (
        ("broken.jpg", "broken.jpg"),
        ("notes.txt", "notes.txt is neither an image nor a video"),
    ):
        (tmp_path / name).write_bytes(b"not a picture at all")
        controls.window.strip.library.add_files([tmp_path / name])
        ui.until(qtbot, ui.has_error, controls, words)
    assert (ui.own(controls), [*paths.backgrounds_dir().glob("*")], ui.chosen(controls).kind) == (
        [],
        [],
        "blur",
    )


def test_the_window_says_when_text_can_be_read(session: Session, qtbot: QtBot) -> None:
    session.store.edit("strict", level="off")
    session.store.edit("background", kind="blur", blur_strength=69)
    strength = ui.slider(session, "blurSlider")
    ui.until_is(qtbot, "Text behind you can be read", ui.said, session, "readableBadge")
    for name, hides, reads in (("background.blur_strength", 70, 0), ("paused", True, False)):
        session.store.set(name, hides)
        ui.until_is(qtbot, "", ui.said, session, "readableBadge")
        session.store.set(name, reads)
        qtbot.waitUntil(lambda: ui.said(session, "readableBadge") != "")
    session.store.set("strict.level", "balanced")
    ui.until_is(qtbot, "", ui.said, session, "readableBadge")

    assert (strength.minimum(), strength.value()) == (70, 70), "what is shown"


def test_a_background_is_renamed_and_stays_in_use(
    controls: Session, qtbot: QtBot, picture: Path
) -> None:
    """Those of one name differ by their suffix. A number key chooses it. Scenes name the new file."""
    ui.add(controls, qtbot, picture)
    controls.window.scenes.save("Beach")
    ui.until(qtbot, ui.has_scenes, controls, "Beach")
    shutil.copy(picture, paths.backgrounds_dir() / "beach.jpg")
    controls.window.strip.library.reload()
    ui.until_is(qtbot, ["beach.jpg", "beach.png"], names, controls)
    for new, left in (("sand", ["beach", "sand"]), ("Sea/side", ["sand", "Seaside"])):
        controls.window.strip.ask_for_name(ui.own(controls)[0])
        ui.give_name(controls, new, "beach")
        ui.until_is(qtbot, left, names, controls)
    renamed = paths.backgrounds_dir() / "Seaside.png"
    qtbot.waitUntil(lambda: ui.chosen(controls).path == renamed)
    qtbot.waitUntil(
        lambda: SceneStore(default_path()).get("Beach").settings.background.path == renamed
    )
    controls.window.strip.choose_number(2)
    assert ui.chosen(controls).kind == "colour"
    controls.window.strip.ask_for_name(ui.own(controls)[1])
    ui.give_name(controls, "Shore", "Seaside")
    ui.until_is(qtbot, ["sand", "Shore"], names, controls)
    controls.window.strip.choose_number(5)
    assert ui.chosen(controls).path == renamed.with_name("Shore.png")


def test_backgrounds_that_cannot_be_read_are_named(controls: Session, qtbot: QtBot) -> None:
    """They were missing in the strip, and nothing said why."""
    folder = paths.backgrounds_dir()
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file in its place")
    library = controls.window.strip.library

    with qtbot.waitSignal(library.failed) as told:
        library.reload()

    assert str(folder) in str(told.args[0])


def test_the_background_that_an_option_hides_is_saved_under_its_new_name(
    controls: Session, qtbot: QtBot, picture: Path
) -> None:
    """The next start named a file that was gone."""
    tile = ui.add(controls, qtbot, picture)
    controls.window.strip.choose_number(2)
    controls.store.change_saved(
        lambda saved: saved.replaced_at(["background"], kind="image", path=tile.path)
    )

    controls.window.strip.rename(tile, "Seaside")

    renamed = paths.backgrounds_dir() / "Seaside.png"
    qtbot.waitUntil(lambda: controls.store.saved.background.path == renamed)
    ui.until_is(qtbot, ["Seaside"], names, controls)
    controls.window.strip.remove(ui.own(controls)[0])
    qtbot.waitUntil(lambda: controls.store.saved.background.kind == "blur")


def test_the_thumbnail_of_an_edited_file_is_made_anew(
    controls: Session, qtbot: QtBot, picture: Path
) -> None:
    tile = ui.add(controls, qtbot, picture)
    model = controls.window.strip.model
    qtbot.waitUntil(lambda: model.image_of(tile) is not None)
    Image.new("RGB", (320, 180), (10, 200, 30)).save(ui.existing(tile.path))
    controls.window.strip.choose_number(4)

    def colour() -> tuple[int, int]:
        (edited,) = ui.own(controls)
        image = model.image_of(edited)
        return (
            (0, 0)
            if image is None
            else (image.pixelColor(5, 5).red(), image.pixelColor(5, 5).green())
        )

    ui.until_is(qtbot, (10, 200), colour)


def test_removal_never_leads_to_a_blur_that_shows_text(
    session: Session, qtbot: QtBot, picture: Path
) -> None:
    """It was, without a question, and so was one that could not be opened."""
    tile = ui.add(session, qtbot, picture)
    session.store.edit("strict", level="off")
    session.store.edit("background", blur_strength=10)
    before = ui.chosen(session)
    session.window.help_with(Remedy.BLUR)
    ui.answer(session, qtbot, "Keep it hidden")
    assert ui.chosen(session) == before
    session.window.strip.remove(tile)
    ui.until_is(qtbot, "colour", ui.kind_chosen, session)


@pytest.mark.parametrize("back", ["add", "choose"])
def test_a_background_whose_file_is_back_is_opened(
    session: Session, qtbot: QtBot, picture: Path, back: str
) -> None:
    """It stayed broken: the settings named it already."""
    strip = session.window.strip
    tile = ui.add(session, qtbot, picture)
    ui.until(qtbot, shows, session, (200, 120, 30))
    strip.remove(tile)
    qtbot.waitUntil(lambda: not ui.own(session) and not shows(session, (200, 120, 30)))
    session.store.edit("background", kind="image", path=tile.path)  # as a scene does
    qtbot.waitUntil(
        lambda: [each.stage for each in session.bridge.status.problems] == [Stage.BACKGROUND]
    )
    if back == "add":
        strip.library.add_files([picture])
    else:
        ui.existing(tile.path).write_bytes(picture.read_bytes())
        strip.choose(tile)
    qtbot.waitUntil(lambda: not session.bridge.status.problems)

    assert ui.chosen(session).path == tile.path


def test_windows_neither_renames_nor_removes_a_video_that_plays(
    controls: Session, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was said to be open in another program."""
    monkeypatch.setattr(files, "WINDOWS", True)
    tile = ui.add(controls, qtbot, write_clip(tmp_path / "sea.mp4", 4))

    controls.window.strip.rename(tile, "ocean")
    renaming = controls.window.notices.error
    controls.window.strip.remove(tile)

    assert renaming.startswith("sea.mp4 plays as the background; choose another one")
    assert controls.window.notices.error == renaming
    assert ui.existing(tile.path).exists()


def test_the_tile_beside_a_removed_one_is_next(
    controls: Session, qtbot: QtBot, picture: Path, tmp_path: Path
) -> None:
    """The one in use alone is replaced by blur; only the copy of a file is removed."""
    pictures = [
        picture,
        *(Path(shutil.copy(picture, tmp_path / f"{name}.png")) for name in ("city", "dune")),
    ]
    controls.window.strip.library.add_files(pictures)
    ui.until(qtbot, ui.has_own, controls, 3)
    ui.settle(controls.window.tasks, qtbot)
    controls.window.strip.choose(ui.own(controls)[1])
    activate(controls, qtbot)
    view = controls.window.strip.view
    view.setFocus()
    for left, kind, current in (
        (["beach", "dune"], "blur", "dune"),
        (["beach"], "colour", "Soft studio"),
    ):
        qtbot.keyClick(view, Qt.Key.Key_Delete)
        ui.answer(controls, qtbot, "Remove")
        ui.until_is(qtbot, left, names, controls)
        activate(controls, qtbot)
        assert (ui.chosen(controls).kind, view.hasFocus(), view.currentIndex().data()) == (
            kind,
            True,
            current,
        )
        controls.store.edit("background", kind="colour")
    assert all(each.exists() for each in pictures)
    assert [each.name for each in paths.backgrounds_dir().iterdir()] == ["beach.png"]


@pytest.mark.posix("symbolic links for everybody")
def test_only_backgrounds_of_the_user_are_renamed_and_removed(
    controls: Session, qtbot: QtBot, picture: Path
) -> None:
    """A link to a file of a disk that was away was replaced."""
    strip = controls.window.strip
    tile = ui.add(controls, qtbot, picture)
    assert strip.current == tile, "it can be renamed at once"
    for each in ui.tiles(controls):
        entries = [action.text() for action in strip.make_menu(each).actions()]
        assert ("Rename…" in entries, "Remove…" in entries) == 2 * (each == tile,)
        if each != tile:
            strip.ask_before_removal(each)
            strip.ask_for_name(each)
    assert not any(controls.window.findChildren(kind) for kind in (QInputDialog, QMessageBox))
    strip.view.customContextMenuRequested.emit(QPoint(3, 3))
    away = paths.backgrounds_dir() / "away.png"
    away.symlink_to(away.parent / "not connected" / "away.png")
    for name, why in (
        ("away", "already"),
        (300 * "x", "the name is too long"),
        ("///", "letters or digits"),
    ):
        strip.rename(tile, name)
        ui.until(qtbot, ui.has_error, controls, why)
        assert names(controls) == ["beach"]
    assert away.is_symlink() and ui.existing(tile.path).exists(), "no name of another file is taken"


def test_the_tile_and_the_dialog_have_the_colour_that_is_in_use(controls: Session) -> None:
    """Both had the last one that was picked, while another came from `ctl` or a scene. Only OK uses what is picked."""
    for colour, shown in (("#ff0000", "#ff0000"), ("#00b140", "#3a5f8a")):
        controls.store.edit("background", kind="colour", colour=colour)
        assert controls.window.strip.model.colour == shown
        ui.button(controls, "colourButton").click()
        dialog = controls.window.findChildren(QColorDialog)[-1]
        assert dialog.currentColor().name() == shown
        for end, used in ((dialog.reject, colour), (dialog.accept, "#3060a0")):
            dialog.setCurrentColor(QColor("#3060a0"))
            end()
            assert ui.chosen(controls).colour == used
        assert controls.store.current.window.own_colour == "#3060a0"
        controls.store.set("window.own_colour", "#3a5f8a")


def test_a_picture_with_a_long_name_or_side_is_added(controls: Session, qtbot: QtBot) -> None:
    """Addresses of pictures on the web end in hundreds of characters: an unexpected error was reported."""
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(0xFF336699)
    library = controls.window.strip.library
    for number, name in enumerate(("é" * 300, "::", "a/b")):
        library.add_image(image, name)
        ui.until(qtbot, ui.has_own, controls, number + 1)
    assert {tile.name for tile in ui.own(controls)} == {"é" * 60, "Image", "ab"}
    assert not controls.window.notices.error
    path = add_picture(np.zeros((100, 2 * MAX_SIDE, 3), np.uint8), "panorama")
    assert ui.existing(cv2.imread(str(path))).shape == (50, MAX_SIDE, 3), (
        "no larger than outputs need"
    )


@pytest.mark.parametrize("has_trash", [True, False])
def test_a_background_is_removed_after_a_question(
    controls: Session, qtbot: QtBot, picture: Path, monkeypatch: pytest.MonkeyPatch, has_trash: bool
) -> None:
    """It goes to the trash; where there is none, it is kept."""
    trash = ui.existing(paths.backgrounds_dir().parent) / "trash.png"
    monkeypatch.setattr(
        QFile, "moveToTrash", lambda name: (has_trash and bool(Path(name).rename(trash)), "")
    )
    tile = ui.add(controls, qtbot, picture)
    controls.store.edit("background", zoom=2)
    before = ui.chosen(controls)
    for reply, kept in (("Keep", True), ("Remove", False)):
        controls.window.strip.ask_before_removal(tile)
        assert ui.answer(controls, qtbot, reply).startswith("Remove the background “beach”?")
        ui.settle(controls.window.tasks, qtbot)
        kept = kept or not has_trash
        assert ((ui.chosen(controls) == before), ui.existing(tile.path).exists()) == (kept, kept)
    ui.until(qtbot, ui.has_own, controls, int(not has_trash))
    assert (ui.chosen(controls).kind, trash.exists()) == (
        "image" if not has_trash else "blur",
        has_trash,
    )
    said = "could not be moved to the trash"
    ui.until(qtbot, lambda: (said in controls.window.notices.error) is not has_trash)
