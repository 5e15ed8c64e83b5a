"""The window and ctl: what each can do of the other, and that commands do not wait for a busy window."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import pytest
from PyQt6.QtCore import QLocale
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.config.setting import SETTINGS
from app.control.commands import OWN_COMMANDS, SETTABLE, Command
from app.control.transport import ask
from app.core.settings import BackgroundSettings, OutputSettings, Settings
from app.core.settings_owner import SettingsOwner
from app.core.types import PictureKind
from app.gui.shell.application import Session
from app.gui.state.store import SettingsStore
from app.runtime.status import Phase
from app.system import autostart
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow
from tests.gui.widgets import answered, button, made_store, translate, use_everything_on
from tests.waiting import beside, eventually
from tools import make_translations


def test_every_setting_that_a_control_changes_can_be_set_by_ctl(controls: Session) -> None:
    changed: set[str] = set()
    last = controls.store.current
    every = list(SETTINGS.values())

    def compare(settings: Settings) -> None:
        nonlocal last
        changed.update(setting.name for setting in every if setting.value_in(settings) != setting.value_in(last))
        last = settings

    controls.store.changed.connect(compare)
    window = controls.window
    for tile in window.strip.model.tiles:
        window.strip.choose(tile)
    use_everything_on(controls)
    window.action_bar.pause.click()
    window.action_bar.freeze.click()
    assert len(changed) >= 30, "the controls were used"
    assert changed <= {*SETTABLE, *OWN_COMMANDS}


def test_every_row_shows_a_setting_that_ctl_sets(with_dialogs: Session) -> None:
    rows = {str(each.property("setting")) for each in with_dialogs.window.findChildren(QWidget)} - {"None"}
    assert len(rows) > 30 and rows <= {*SETTABLE, *OWN_COMMANDS}


def test_a_theme_set_by_ctl_is_shown_in_the_menu(session: Session, qtbot: QtBot) -> None:
    assert answered(qtbot, "set", "window.theme dark").done
    dark = next(action for action in session.window.findChildren(QAction) if action.text() == "Dark")
    assert dark.isChecked()
    assert session.store.current.window.theme == "dark"
    refused = answered(qtbot, "set", "window.theme pink")
    assert not refused.done
    assert "'system', 'light' or 'dark'" in refused.message


def test_a_scene_saved_by_ctl_appears_in_the_menu(session: Session, qtbot: QtBot) -> None:
    assert answered(qtbot, "scene", "--save Desk").done
    qtbot.waitUntil(lambda: session.window.scenes.names == ("Desk",))
    assert answered(qtbot, "scene", "--remove Desk").done
    qtbot.waitUntil(lambda: session.window.scenes.names == ())


def test_autostart_is_switched_and_what_failed_is_tried_again(session: Session, qtbot: QtBot) -> None:
    for word, on in (("on", True), ("off", False)):
        assert answered(qtbot, "autostart", word).done
        assert autostart.enabled() is on
    assert answered(qtbot, "retry").done


def test_a_background_chosen_after_one_of_the_command_line_is_saved_with_its_kind() -> None:
    """The next start showed the blur: of both the kind was "image", so that only the file was saved."""
    image = BackgroundSettings(kind="image", path=Path("option.png"))
    store = SettingsStore(SettingsOwner(Settings(background=image)), Settings())
    store.edit("background", fit="fit")
    assert store.saved.background == BackgroundSettings(fit="fit")
    store.edit("background", kind="image", path=Path("chosen.png"))
    assert store.saved.background == BackgroundSettings(kind="image", path=Path("chosen.png"), fit="fit")


def test_recording_pause_and_freeze_are_not_saved() -> None:
    store = made_store()
    store.edit("output", record=Path("a.mp4"), standby_text="soon")
    store.set("paused", True)
    store.set("frozen", True)
    assert store.current.paused
    assert store.current.frozen
    for kept in (store.saved, store.current.kept):
        assert kept.output == OutputSettings(standby_text="soon")
        assert not kept.paused
        assert not kept.frozen


def test_changed_is_emitted_once_per_effective_change() -> None:
    store = made_store()
    emitted: list[Settings] = []
    store.changed.connect(emitted.append)
    store.edit("background", kind="blur")
    store.edit("background", kind="none")
    assert [settings.background.kind for settings in emitted] == ["none"]


def test_a_change_on_another_thread_is_emitted_on_the_gui_thread(qtbot: QtBot) -> None:
    store = made_store()
    threads: list[int] = []
    store.changed.connect(lambda _new: threads.append(threading.get_ident()))
    beside(lambda: store.set("paused", True)).result()
    assert store.current.paused, "in effect without the GUI thread"
    assert not threads
    qtbot.waitUntil(lambda: threads == [threading.get_ident()])


def test_pause_takes_effect_while_the_gui_thread_is_busy_and_stays(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld
) -> None:
    session = start_window(QUIET.replace(output=QUIET.output.replace(virtual_camera="/dev/video10")))
    qtbot.waitUntil(lambda: session.bridge.status.phase is Phase.RUNNING and bool(world.pictures()))
    seen: list[tuple[bool, int]] = []

    def pause() -> None:
        ask(Command("pause"))
        sent = len(world.pictures())
        seen.append((session.pipeline.settings.paused, sent))
        eventually(lambda: len(world.pictures()) > sent + 1)  # the output continues without the GUI thread

    beside(pause).result(60)  # while the GUI thread is blocked
    (paused, sent) = seen[0]
    assert paused, "in effect when it was answered"
    eventually(lambda: len(world.pictures()) > sent + 2)  # the output continues while the GUI thread is blocked
    sent_after = world.pictures()[sent + 1 :]  # one picture may have been on its way into the device
    assert {picture.kind for picture in sent_after} == {PictureKind.STANDBY}
    session.store.edit("background", blur_strength=72.0)  # based on what the window showed last
    assert session.pipeline.settings.paused
    qtbot.waitUntil(button(session, "pauseButton").isChecked)
    assert session.pipeline.settings.paused
    assert session.pipeline.settings.background.blur_strength == 72.0


def test_a_background_set_by_ctl_survives_edits_of_the_window(session: Session, qtbot: QtBot) -> None:
    beside(lambda: ask(Command("background", "#102030"))).result(60)
    session.store.edit("output", mirror=True)
    qtbot.waitUntil(lambda: session.store.saved.background.colour == "#102030" and session.store.saved.output.mirror)
    settings = session.pipeline.settings
    assert (settings.background.kind, settings.background.colour) == ("colour", "#102030")
    assert settings.output.mirror


@pytest.mark.parametrize("language", make_translations.LANGUAGES)
def test_ctl_accepts_names_and_numbers_of_the_translated_tiles(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, language: str
) -> None:
    def is_chosen(row: int) -> bool:
        return model.chosen_row == row

    with translate(qapp, QLocale(language)):
        model = start_window().window.strip.model
        for row, tile in enumerate(model.tiles[:3]):
            for text in (tile.name, str(model.number(row))):
                answer = answered(qtbot, "background", text)
                assert answer.done, answer.message
                qtbot.waitUntil(partial(is_chosen, row))
        refused = answered(qtbot, "background", "Atlantis")
        assert not refused.done
        for row, tile in enumerate(model.tiles):
            assert f"{model.number(row)} " in refused.message
            assert tile.name in refused.message
