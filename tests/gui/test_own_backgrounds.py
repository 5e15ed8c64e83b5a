"""The tiles of added backgrounds: renamed, removed and restored, damaged later, and their menu."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import QFile, QPoint, Qt
from PyQt6.QtWidgets import QInputDialog, QListView, QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from app.core.files import paths
from app.gui.shell.application import Session
from tests.gui.conftest import activate
from tests.gui.controls import Controls
from tests.gui.widgets import add, button, chosen, existing, find, own, tiles


def test_a_background_is_renamed_and_stays_in_use(controls: Controls, qtbot: QtBot, picture: Path) -> None:
    tile = add(controls, qtbot, picture)
    qtbot.waitUntil(lambda: chosen(controls).path == tile.path)
    controls.window.strip.ask_for_name(tile)
    dialog = find(controls.window, QInputDialog)
    dialog.setTextValue("Sea/side")
    dialog.accept()
    qtbot.waitUntil(lambda: [tile.name for tile in own(controls)] == ["Seaside"])
    qtbot.waitUntil(lambda: chosen(controls).path == paths.backgrounds_dir() / "Seaside.png")


def test_rename_to_an_existing_name_fails(controls: Controls, qtbot: QtBot, picture: Path) -> None:
    add(controls, qtbot, picture)
    controls.window.strip.library.add_files([picture])
    qtbot.waitUntil(lambda: len(own(controls)) == 2)
    second = next(tile for tile in own(controls) if tile.name == "beach 2")
    controls.window.strip.library.rename(second, "beach")
    qtbot.waitUntil(lambda: "already" in controls.window.error_bar.text)
    assert {tile.name for tile in own(controls)} == {"beach", "beach 2"}


def test_removing_the_background_in_use_switches_to_blur(controls: Controls, qtbot: QtBot, picture: Path) -> None:
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
    session.window.strip.remove(tile)
    qtbot.waitUntil(lambda: "beach" in session.window.notices.text_of("removedNotice"))
    assert not tile.path.exists()
    qtbot.waitUntil(lambda: not own(session))
    button(session, "removedNoticeAction0").click()
    qtbot.waitUntil(lambda: [tile.name for tile in own(session)] == ["beach"])
    assert tile.path.read_bytes() == picture.read_bytes()
    assert not session.window.notices.texts


def test_a_background_that_cannot_be_moved_to_the_trash_is_kept_until_the_user_deletes_it(
    controls: Controls, qtbot: QtBot, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFile, "moveToTrash", lambda _name: (False, ""))
    tile = add(controls, qtbot, picture)
    assert tile.path is not None

    def question() -> QMessageBox | None:
        return controls.window.findChild(QMessageBox, "deletionQuestion")

    for answer, stays in (("Keep", True), ("Delete for good", False)):
        controls.window.strip.remove(tile)
        qtbot.waitUntil(lambda: question() is not None)
        box = existing(question())
        assert "“beach” could not be moved to the trash and was kept" in box.text()
        assert existing(box.defaultButton()).text() == "Keep"
        next(each for each in box.buttons() if each.text() == answer).click()
        qtbot.waitUntil(lambda: question() is None)
        if stays:
            qtbot.wait(200)
            assert tile.path.exists()
        else:
            qtbot.waitUntil(lambda: not own(controls))
            assert not tile.path.exists()


def test_a_reload_keeps_the_current_tile(controls: Controls, qtbot: QtBot) -> None:
    strip = controls.window.strip
    strip.view.setCurrentIndex(strip.model.index(3))
    with qtbot.waitSignal(strip.model.modelReset):
        strip.library.reload()
    assert strip.view.currentIndex().row() == 3


def test_the_tile_beside_a_removed_one_becomes_the_current_one(
    controls: Controls, qtbot: QtBot, picture: Path, tmp_path: Path
) -> None:
    names = [picture, *(tmp_path / f"{name}.png" for name in ("city", "dune"))]
    for name in names[1:]:
        name.write_bytes(picture.read_bytes())
    controls.window.strip.library.add_files(names)
    qtbot.waitUntil(lambda: len(own(controls)) == 3)
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


def test_bundled_tiles_cannot_be_removed_or_renamed(controls: Controls, qtbot: QtBot) -> None:
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


def test_a_file_that_was_damaged_later_is_marked(controls: Controls, qtbot: QtBot) -> None:
    paths.backgrounds_dir().mkdir(parents=True, exist_ok=True)
    (paths.backgrounds_dir() / "broken.jpg").write_bytes(b"not a picture at all")
    controls.window.strip.library.reload()
    qtbot.waitUntil(lambda: bool(own(controls)) and bool(own(controls)[0].broken))
    model = controls.window.strip.model
    index = model.index(0)
    assert "broken.jpg" in str(model.data(index, int(Qt.ItemDataRole.ToolTipRole)))


def test_context_menu_of_a_tile(controls: Controls, qtbot: QtBot, picture: Path) -> None:
    tile = add(controls, qtbot, picture)
    strip = controls.window.strip
    row = tiles(controls).index(tile)
    strip.view.scrollTo(strip.model.index(row))
    menu = strip.make_menu(tile)
    assert [action.text() for action in menu.actions() if action.text()] == ["Use", "Rename…", "Remove", "Add…"]
    fixed = strip.make_menu(tiles(controls)[-1])
    assert [action.text() for action in fixed.actions() if action.text()] == ["Use", "Add…"]
    assert isinstance(strip.view, QListView)
    strip.view.customContextMenuRequested.emit(QPoint(3, 3))
