"""The store of settings; `ctl` changes them without the GUI thread."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import pytest
from PyQt6.QtCore import QLocale
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.control.commands import Command
from app.control.transport import ask
from app.core.settings import BackgroundSettings, CaptureSettings, OutputSettings, Settings
from app.core.settings_owner import SettingsOwner
from app.core.types import PictureKind
from app.gui.shell.application import Session
from app.gui.state.store import SettingsStore
from app.runtime.status import Phase
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow
from tests.gui.widgets import answered, button, made_store, translate
from tests.waiting import beside, eventually
from tools import make_translations


def test_edits_are_saved_but_command_line_options_are_not() -> None:
    store = SettingsStore(SettingsOwner(Settings(capture=CaptureSettings(source="demo"))), Settings())
    store.edit("background", kind="none")
    store.edit("capture", fps=15)
    assert store.current.capture.source == "demo"
    assert store.saved.capture == CaptureSettings(fps=15)
    assert store.saved.background.kind == "none"


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
