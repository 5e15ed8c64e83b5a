"""Global shortcuts run commands while they are switched on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from app.control.commands import SYNTAX, Command, parse_words
from app.control.global_shortcuts import COMMANDS, GlobalShortcuts
from app.core.errors import MattecamError
from app.core.messages.system import ShortcutText
from app.core.stage import Stage
from app.system.shortcuts import PortalShortcuts, Shortcut
from tests.control.conftest import Program
from tests.control.recorder import Recorder
from tests.waiting import eventually


@dataclass
class Keys(PortalShortcuts):
    """A service whose keys the test presses."""

    pressed: Callable[[str], None] = lambda _name: None
    failed: Callable[[Exception], None] = lambda _error: None
    registered: list[str] = field(default_factory=list)

    def start(
        self, shortcuts: Sequence[Shortcut], pressed: Callable[[str], None], failed: Callable[[Exception], None]
    ) -> None:
        self.pressed, self.failed = pressed, failed
        self.registered = [shortcut.name for shortcut in shortcuts]

    def stop(self) -> bool:
        self.registered = []
        return True


def test_every_shortcut_is_a_command_with_a_key_of_its_own() -> None:
    assert len({shortcut.name for shortcut in COMMANDS}) == len({shortcut.key for shortcut in COMMANDS}) == 11
    for command in COMMANDS.values():
        assert command.name in SYNTAX
        assert parse_words([command.name, command.argument]) == command


def test_keys_pause_freeze_and_choose_backgrounds(program: Program) -> None:
    keys = Keys()
    hasty = program.controller_with(confirm_s=0.2)  # a freeze can come before the frame that confirms a background
    shortcuts = GlobalShortcuts(hasty, lambda _problem: None, lambda: keys)
    shortcuts.follow(False)
    assert keys.registered == []
    shortcuts.follow(True)
    assert len(keys.registered) == 11
    keys.pressed("pause")
    eventually(lambda: program.settings.paused)
    keys.pressed("pause")
    eventually(lambda: not program.settings.paused)
    keys.pressed("background-4")
    eventually(lambda: program.settings.background.path == program.files[0].path)
    keys.pressed("background-9")  # there is none; the shortcuts go on
    keys.pressed("no-such-key")
    keys.pressed("freeze")
    eventually(lambda: program.settings.frozen)
    shortcuts.follow(False)
    assert keys.registered == []
    assert shortcuts.stop()


@pytest.mark.error_logs
def test_a_press_returns_at_once_and_a_crash_does_not_end_the_shortcuts() -> None:
    recorder, keys = Recorder(), Keys()
    entered, go_on = threading.Event(), threading.Event()

    class Slow(Recorder):
        def run(self, command: Command) -> str:
            entered.set()
            go_on.wait(60)
            if command.name == "freeze":
                raise ZeroDivisionError("a defect")
            return recorder.run(command)

    shortcuts = GlobalShortcuts(Slow(), lambda _problem: None, lambda: keys)
    shortcuts.follow(True)
    keys.pressed("freeze")
    keys.pressed("pause")
    assert entered.wait(60)
    assert recorder.commands == []
    go_on.set()
    eventually(lambda: recorder.commands == [Command("pause", "toggle")])
    assert shortcuts.stop()
    assert shortcuts.stop()


def test_pause_does_not_wait_for_commands_before_it() -> None:
    """A background or the camera may take seconds; every press of the pause key takes effect at once."""
    recorder, keys, go_on = Recorder(), Keys(), threading.Event()

    class Waiting(Recorder):
        def run(self, command: Command) -> str:
            answer = recorder.run(command)
            go_on.wait(60)
            return answer

    shortcuts = GlobalShortcuts(Waiting(), lambda _problem: None, lambda: keys)
    shortcuts.follow(True)
    for name in ("background-1", "background-2", "pause", "pause", "pause"):
        keys.pressed(name)
    eventually(lambda: recorder.commands.count(Command("pause", "toggle")) == 3)
    assert Command("background", "2") not in recorder.commands, "backgrounds keep their order"
    go_on.set()
    eventually(lambda: Command("background", "2") in recorder.commands)
    assert shortcuts.stop()


class NoKeys(Keys):
    """A service of a desktop without the portal."""

    error = MattecamError(ShortcutText.NO_PORTAL())

    def start(
        self, shortcuts: Sequence[Shortcut], pressed: Callable[[str], None], failed: Callable[[Exception], None]
    ) -> None:
        failed(self.error)


def test_a_service_that_fails_is_reported_until_it_is_switched_off() -> None:
    reported: list[Exception | None] = []
    shortcuts = GlobalShortcuts(Recorder(), reported.append, NoKeys)
    shortcuts.follow(True)
    shortcuts.follow(True)
    assert reported == [NoKeys.error]
    shortcuts.follow(False)
    assert reported == [NoKeys.error, None]
    assert shortcuts.stop()


def test_a_failure_is_shown_in_the_status_and_named_by_ctl(program: Program) -> None:
    report = partial(program.pipeline.report, Stage.SHORTCUTS)
    shortcuts = GlobalShortcuts(program.controller, report, NoKeys)
    program.pipeline.owner.listen(lambda: shortcuts.follow(program.settings.global_shortcuts))
    with pytest.raises(MattecamError, match="does not support global shortcuts"):
        program.run("set global_shortcuts on")
    assert not program.settings.global_shortcuts
    assert not program.pipeline.status().problems
