"""Added backgrounds are renamed, removed and restored."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PyQt6.QtCore import QFile, QPoint, Qt
from PyQt6.QtWidgets import QInputDialog, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from app.core.files import paths
from app.core.stage import Stage
from app.gui.dialogs.questions import ask_for_name
from app.gui.shell.application import Session
from tests.gui.conftest import activate
from tests.gui.widgets import (
    add,
    answer,
    asked,
    button,
    chosen,
    existing,
    find,
    own,
    tiles,
)


def test_a_background_is_renamed_and_stays_in_use(controls: Session, qtbot: QtBot, picture: Path) -> None:
    tile = add(controls, qtbot, picture)
    qtbot.waitUntil(lambda: chosen(controls).path == tile.path)
    controls.window.strip.ask_for_name(tile)
    dialog = find(controls.window, QInputDialog)
    dialog.setTextValue("Sea/side")
    dialog.accept()
    qtbot.waitUntil(lambda: [tile.name for tile in own(controls)] == ["Seaside"])
    qtbot.waitUntil(lambda: chosen(controls).path == paths.backgrounds_dir() / "Seaside.png")


@pytest.mark.parametrize(("name", "said"), [("beach", "already"), (300 * "x", "the name is too long")])
def test_a_name_that_cannot_be_given_is_refused(
    controls: Session, qtbot: QtBot, picture: Path, name: str, said: str
) -> None:
    add(controls, qtbot, picture)
    controls.window.strip.library.add_files([picture])
    qtbot.waitUntil(lambda: len(own(controls)) == 2)
    controls.window.strip.library.rename(own(controls)[1], name)
    qtbot.waitUntil(lambda: said in controls.window.error_bar.text)
    assert [tile.name for tile in own(controls)] == ["beach", "beach 2"]


def test_backgrounds_of_one_name_differ_by_their_suffix(controls: Session, qtbot: QtBot, picture: Path) -> None:
    add(controls, qtbot, picture)
    shutil.copy(picture, paths.backgrounds_dir() / "beach.jpg")
    controls.window.strip.library.reload()
    qtbot.waitUntil(lambda: [tile.name for tile in own(controls)] == ["beach.jpg", "beach.png"])
    controls.window.strip.ask_for_name(own(controls)[0])
    dialog = find(controls.window, QInputDialog)
    assert dialog.textValue() == "beach"
    dialog.setTextValue("sand")
    dialog.accept()
    qtbot.waitUntil(lambda: [tile.name for tile in own(controls)] == ["beach", "sand"])


def test_files_of_one_name_that_are_added_together_are_all_kept(
    controls: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    dropped = [tmp_path / str(number) / "beach.bmp" for number in range(6)]
    for number, path in enumerate(dropped):
        path.parent.mkdir()
        Image.new("RGB", (3000, 2000), (40 * number, 0, 0)).save(path)  # large: it takes a while to copy
    controls.window.strip.library.add_files(dropped)
    qtbot.waitUntil(lambda: len(own(controls)) == 6 or controls.window.error_bar.text != "")
    kept = {path.read_bytes() for path in paths.backgrounds_dir().iterdir()}
    assert kept == {path.read_bytes() for path in dropped}
    assert controls.window.error_bar.text == ""


def test_removing_the_background_in_use_switches_to_blur(controls: Session, qtbot: QtBot, picture: Path) -> None:
    tile = add(controls, qtbot, picture)
    qtbot.waitUntil(lambda: chosen(controls).path == tile.path)
    activate(controls, qtbot)
    view = controls.window.strip.view
    view.setFocus()
    view.setCurrentIndex(controls.window.strip.model.index(tiles(controls).index(tile)))
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert chosen(controls).kind == "blur"
    qtbot.waitUntil(lambda: not own(controls))
    assert tile.path is not None
    assert not tile.path.exists()
    assert picture.exists(), "only the copy was removed"


def test_a_removed_background_can_be_restored(session: Session, qtbot: QtBot, picture: Path) -> None:
    tile = add(session, qtbot, picture)
    assert tile.path is not None
    for _ in range(2):  # a key that was pressed twice left no way back
        session.window.strip.remove(tile)
    qtbot.waitUntil(lambda: not session.window.tasks.running)
    assert "beach" in session.window.notices.text_of("removedNotice")
    assert not tile.path.exists()
    qtbot.waitUntil(lambda: not own(session))
    button(session, "removedNoticeAction0").click()
    qtbot.waitUntil(lambda: [tile.name for tile in own(session)] == ["beach"])
    assert tile.path.read_bytes() == picture.read_bytes()
    assert not session.window.notices.texts


def test_undo_is_in_reach_though_errors_are_shown(session: Session, qtbot: QtBot, picture: Path) -> None:
    """It stood behind them, and was gone before the first one was."""
    tile = add(session, qtbot, picture)
    session.window.strip.library.rename(tile, "///")
    qtbot.waitUntil(lambda: "letters or digits" in session.window.error_bar.text)
    session.window.strip.remove(tile)
    qtbot.waitUntil(lambda: session.window.notices.shown == "removedNotice")
    assert button(session, "removedNoticeAction0").isVisible()
    assert session.window.error_bar.text, "it comes back"


def test_the_question_for_a_name_shows_a_long_one(controls: Session) -> None:
    """It showed twenty letters."""
    named: list[str] = []
    name = "Holiday on the island, last evening (copy)"
    ask_for_name(controls.window, "Rename background", name, named.append)
    dialog = find(controls.window, QInputDialog)
    line = find(dialog, QLineEdit)
    assert line.text() == name and line.width() > line.fontMetrics().horizontalAdvance(name)
    dialog.accept()
    assert named == [name]


@pytest.mark.parametrize("back", ["undo", "add", "choose"])
def test_a_background_that_failed_is_opened_again_when_its_file_is_back(
    session: Session, qtbot: QtBot, picture: Path, back: str
) -> None:
    """It stayed broken: the settings named it already."""

    def failed() -> bool:
        return any(problem.stage is Stage.BACKGROUND for problem in session.bridge.status.problems)

    strip, tile = session.window.strip, add(session, qtbot, picture)
    qtbot.waitUntil(lambda: chosen(session).path == tile.path)
    undo: list[Callable[[], object]] = []
    strip.library.removed.connect(lambda _name, restore: undo.append(restore))
    strip.remove(tile)
    qtbot.waitUntil(lambda: bool(undo) and not own(session))
    session.store.edit("background", kind="image", path=tile.path)  # as a scene does
    qtbot.waitUntil(failed)
    if back == "undo":
        undo[0]()
    elif back == "add":
        strip.library.add_files([picture])
    else:
        existing(tile.path).write_bytes(picture.read_bytes())
        strip.choose(tile)
    qtbot.waitUntil(lambda: not failed())
    assert chosen(session).path == tile.path


def test_a_removed_background_can_be_restored_in_another_language(
    session: Session, qtbot: QtBot, picture: Path
) -> None:
    """The change of the language, which builds the window anew, took the offer away."""
    session.window.strip.remove(add(session, qtbot, picture))
    qtbot.waitUntil(lambda: "beach" in session.window.notices.text_of("removedNotice"))
    first = session.window
    session.store.edit("window", language="de")
    qtbot.waitUntil(lambda: session.window is not first)
    assert session.window.notices.text_of("removedNotice") == "Hintergrund „beach“ entfernt."
    second = session.window
    session.store.edit("window", language="en")
    qtbot.waitUntil(lambda: session.window is not second)
    assert session.window.notices.text_of("removedNotice") == "Removed the background “beach”."
    qtbot.waitUntil(lambda: bool(tiles(session)) and not own(session))
    button(session, "removedNoticeAction0").click()
    qtbot.waitUntil(lambda: [tile.name for tile in own(session)] == ["beach"])
    last = session.window
    session.store.edit("window", language="de")
    qtbot.waitUntil(lambda: session.window is not last)
    assert not session.window.notices.text_of("removedNotice"), "it was undone"


def test_a_background_that_cannot_be_moved_to_the_trash_is_kept_until_the_user_deletes_it(
    controls: Session, qtbot: QtBot, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFile, "moveToTrash", lambda _name: (False, ""))
    tile = add(controls, qtbot, picture)
    assert tile.path is not None

    controls.window.strip.remove(tile)
    box = answer(controls, qtbot, "deletionQuestion", "Keep")
    assert "“beach” could not be moved to the trash and was kept" in box.text()
    assert existing(box.defaultButton()).text() == "Keep"
    qtbot.waitUntil(lambda: asked(controls, "deletionQuestion") is None)
    qtbot.wait(200)
    assert tile.path.exists()
    controls.window.strip.remove(tile)
    answer(controls, qtbot, "deletionQuestion", "Delete for good")
    qtbot.waitUntil(lambda: not own(controls))
    assert not tile.path.exists()


def test_an_added_file_that_has_a_tile_already_becomes_the_current_one_at_once(
    controls: Session, qtbot: QtBot, picture: Path
) -> None:
    """Of several files that are added, the list may show the last one before it is reported."""
    strip = controls.window.strip
    tile = add(controls, qtbot, picture)
    strip.view.setCurrentIndex(strip.model.index(0 if own(controls)[0] is not tile else 1))
    strip.library.added.emit(tile.path)
    assert strip.current == tile
    strip.view.setCurrentIndex(strip.model.index(len(tiles(controls)) - 1))
    current = strip.current
    strip.library.reload()
    with qtbot.waitSignal(strip.model.modelReset):
        pass
    assert strip.current == current


def test_the_tile_beside_a_removed_one_becomes_the_current_one(
    controls: Session, qtbot: QtBot, picture: Path, tmp_path: Path
) -> None:
    names = [picture, *(tmp_path / f"{name}.png" for name in ("city", "dune"))]
    for name in names[1:]:
        name.write_bytes(picture.read_bytes())
    added: list[Path] = []
    controls.window.strip.library.added.connect(added.append)
    controls.window.strip.library.add_files(names)
    qtbot.waitUntil(lambda: len(own(controls)) == len(added) == 3)
    qtbot.waitUntil(lambda: chosen(controls).kind == "image")
    controls.store.edit("background", kind="blur")
    activate(controls, qtbot)
    view = controls.window.strip.view
    view.setFocus()
    view.setCurrentIndex(controls.window.strip.model.index(tiles(controls).index(own(controls)[1])))
    for left, current in ((2, "dune"), (1, "Blur")):
        qtbot.keyClick(view, Qt.Key.Key_Delete)
        qtbot.waitUntil(lambda left=left: len(own(controls)) == left)  # type: ignore[misc]
        assert view.hasFocus()
        assert view.currentIndex().data() == current


def test_bundled_tiles_cannot_be_removed_or_renamed(controls: Session, qtbot: QtBot) -> None:
    before = tiles(controls)
    for tile in before:
        controls.window.strip.remove(tile)
        controls.window.strip.ask_for_name(tile)
    assert tiles(controls) == before
    assert controls.window.findChild(QInputDialog) is None


def test_the_menu_renames_and_removes_only_a_background_of_the_user(
    session: Session, qtbot: QtBot, picture: Path
) -> None:
    def enabled() -> dict[str, bool]:
        menu = next(menu for menu in session.window.findChildren(QMenu) if menu.title() == "&Background")
        return {action.text(): action.isEnabled() for action in menu.actions()[-2:]}

    view, model = session.window.strip.view, session.window.strip.model
    assert enabled() == {"Rename…": False, "Remove": False}
    tile = add(session, qtbot, picture)
    view.setCurrentIndex(model.index(tiles(session).index(tile)))
    assert enabled() == {"Rename…": True, "Remove": True}
    view.setCurrentIndex(model.index(1))
    assert enabled() == {"Rename…": False, "Remove": False}
    view.setCurrentIndex(model.index(tiles(session).index(tile)))
    session.window.strip.remove(tile)
    qtbot.waitUntil(lambda: not own(session))
    assert enabled() == {"Rename…": False, "Remove": False}


def test_context_menu_of_a_tile(controls: Session, qtbot: QtBot, picture: Path) -> None:
    tile = add(controls, qtbot, picture)
    strip = controls.window.strip
    menu = strip.make_menu(tile)
    assert [action.text() for action in menu.actions() if action.text()] == ["Use", "Rename…", "Remove", "Add…"]
    fixed = strip.make_menu(tiles(controls)[-1])
    assert [action.text() for action in fixed.actions() if action.text()] == ["Use", "Add…"]
    strip.view.customContextMenuRequested.emit(QPoint(3, 3))
