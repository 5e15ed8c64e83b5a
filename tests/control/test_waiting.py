"""Commands that wait: what hides goes first, no thread is held, and a disk that does not answer holds up nobody."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from app.control import changes, controller, server, transport
from app.control.commands import Answer, Command
from app.control.controller import SettingsController
from app.control.program import RunningProgram
from app.control.server import ControlServer
from app.control.transport import ControlAddress, ask
from app.core.errors import MattecamError, Stage, UsageError, t
from app.core.types import BgrImage
from app.core.worker import Worker
from app.output.base import write_snapshot
from app.settings import Settings
from mattecam.testing import FakeSource
from tests.control.conftest import Program, Recorder, address_in, executed, serving
from tests.fakes.world import NONE, Hold, apply
from tests.stand_ins import always, replacing_at
from tests.waiting import beside, eventually, no_longer

WAITING = 200
# On Windows, a pool waits for what comes through pipes; its threads stay.
POOL = min(32, (os.cpu_count() or 1) + 4) if sys.platform == "win32" else 0
EVERYTHING = {"zones": [{"filled": True, "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}]}


@pytest.fixture
def address(tmp_path: Path) -> ControlAddress:
    return address_in(tmp_path / "run")


@pytest.fixture
def commands(address: ControlAddress, program: Program) -> Iterator[ControlServer]:
    """Yield the server of a program whose commands wait as long as they have to."""
    with serving(always(address), program.controller_with(confirm_s=600.0)) as running:
        yield running


def sent(address: ControlAddress, text: str) -> Connection:
    """Send a command and return the connection, on which the answer is to come."""
    connection = address.connect()
    assert connection is not None
    transport.send(connection, address, text.encode())
    return connection


def keep_waiting(program: Program, address: ControlAddress, stack: ExitStack) -> list[Connection]:
    """Send commands that wait for a background that does not open."""
    disk = Hold()
    program.world.faults.put("open_background", disk)
    stack.callback(disk.go_on.set)
    revision = program.pipeline.owner.revision
    texts = [f"set output.standby_text {number}" for number in range(1, WAITING)]
    waiting = [stack.enter_context(sent(address, f"background {program.picture_file}"))]
    assert disk.entered.wait(60)
    waiting += [stack.enter_context(sent(address, text)) for text in texts]

    def all_have_changed_settings() -> bool:
        return program.pipeline.owner.revision >= revision + WAITING

    eventually(all_have_changed_settings)
    return waiting


def hides_nobody_else(settings: Settings) -> bool:
    return settings.follows_person


def hides_zones(settings: Settings) -> bool:
    return len(settings.people.zones) == 1


def is_paused(settings: Settings) -> bool:
    return settings.paused


def is_frozen(settings: Settings) -> bool:
    return settings.frozen


def shows_no_room(settings: Settings) -> bool:
    return settings.background.kind != "none"


@pytest.mark.parametrize(
    "command, hides",
    [
        pytest.param("pause on", is_paused, id="pause"),
        pytest.param("pause toggle", is_paused, id="the key for pause"),
        pytest.param("freeze on", is_frozen, id="freeze"),
        pytest.param("only-me on", hides_nobody_else, id="only me"),
        pytest.param("set people.only_me on", hides_nobody_else, id="only me by its name"),
        pytest.param("set people.zones {zones}", hides_zones, id="zones"),
        pytest.param("background blur", shows_no_room, id="none to blur"),
        pytest.param("background #102030", shows_no_room, id="none to a colour"),
        pytest.param("background next", shows_no_room, id="none to the next"),
        pytest.param("set background.kind colour", shows_no_room, id="none to a kind"),
    ],
)
def test_what_hides_is_in_force_while_200_commands_wait(
    program: Program,
    address: ControlAddress,
    commands: ControlServer,
    tmp_path: Path,
    command: str,
    hides: Callable[[Settings], bool],
) -> None:
    """It waited for the others: 48 seconds behind 200."""

    def is_hidden() -> bool:
        return hides(program.settings)

    zones = tmp_path / "zones.json"
    zones.write_text(json.dumps(EVERYTHING))
    with ExitStack() as stack:
        waiting = keep_waiting(program, address, stack)
        program.pipeline.change(replacing_at(["background"], kind="none"))
        assert not hides(program.settings)

        stack.enter_context(sent(address, command.format(zones=zones)))

        eventually(is_hidden)
        assert not any(connection.poll() for connection in waiting), "all others still wait"


def test_the_program_can_be_ended_while_200_commands_wait(
    program: Program, address: ControlAddress, commands: ControlServer
) -> None:
    with ExitStack() as stack:
        waiting = keep_waiting(program, address, stack)

        assert ask(Command("quit"), at=always(address)) == Answer(True, "Mattecam stops.")

        assert not any(connection.poll() for connection in waiting)


def test_a_command_that_waits_holds_no_thread(
    program: Program, address: ControlAddress, commands: ControlServer
) -> None:
    threads = threading.active_count()

    def are_few_threads() -> bool:
        return threading.active_count() <= threads + POOL

    with ExitStack() as stack:
        keep_waiting(program, address, stack)

        eventually(are_few_threads)


def test_the_state_is_told_beside_more_commands_than_may_wait(
    program: Program,
    address: ControlAddress,
    commands: ControlServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "MOST_WAITING", WAITING)
    with ExitStack() as stack:
        keep_waiting(program, address, stack)

        refused = ask(Command("set", "framing.zoom 2"), at=always(address))

        assert not refused.done and refused.message.startswith("Too many commands wait")
        assert ask(Command("pause", "on"), at=always(address)).done
        status = ask(Command("status"), at=always(address)).status
        assert status is not None and status["paused"]


class DeadDisk:
    """A disk whose files do not answer; `works` counts what waits for it."""

    def __init__(self) -> None:
        self.hold = Hold()
        self.works = 0

    def is_busy(self) -> bool:
        """Whether as many commands wait for it as may at once."""
        return self.works == changes.MOST_AT_ONCE

    def __call__(self) -> list[tuple[str, Path]]:
        self.works += 1
        self.hold()
        return []


def has_problems(controller: SettingsController) -> bool:
    return bool(controller.status()["problems"])


@pytest.fixture
def disk(program: Program) -> Iterator[DeadDisk]:
    """A program whose backgrounds lie on a dead disk."""
    dead = DeadDisk()
    program.backgrounds = dead
    yield dead
    dead.hold.go_on.set()


def test_what_hides_is_in_force_while_200_commands_wait_for_a_dead_disk(
    program: Program,
    address: ControlAddress,
    commands: ControlServer,
    disk: DeadDisk,
    tmp_path: Path,
) -> None:
    zones = tmp_path / "zones.json"
    zones.write_text(json.dumps(EVERYTHING))
    apply(program.pipeline, NONE)
    disk_threads = threading.active_count() + changes.MOST_AT_ONCE + 2 + POOL

    def is_paused_with_a_zone() -> bool:
        return program.settings.paused and len(program.settings.people.zones) == 1

    with ExitStack() as stack:
        apply(program.pipeline, NONE.replace(background=NONE.background.replace(kind="blur")))
        for number in range(WAITING):
            stack.enter_context(sent(address, f"background {number}"))
        eventually(disk.is_busy)

        for command in ("pause on", f"set people.zones {zones}"):
            stack.enter_context(sent(address, command))

        eventually(is_paused_with_a_zone)
        assert threading.active_count() <= disk_threads
        assert disk.works == changes.MOST_AT_ONCE


def test_a_file_that_does_not_answer_is_named_until_it_does(
    program: Program, disk: DeadDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its command waited for ever, and nothing was said."""
    monkeypatch.setattr(changes, "FILE_LIMIT_S", 0.05)
    hasty = program.controller_with(confirm_s=0.1)

    with pytest.raises(
        MattecamError, match=r"/gone/beach\.png does not answer; reconnect its disk"
    ):
        executed(hasty, "background /gone/beach.png")

    messages = [each["message"] for each in hasty.status()["problems"]]
    assert messages == [
        "/gone/beach.png does not answer; reconnect its disk, or choose another file."
    ]
    before = program.settings
    disk.hold.go_on.set()
    no_longer(has_problems, hasty)
    assert program.settings == before, "the answer said that nothing was changed"


@pytest.mark.parametrize("command", ["scene Work", "scene --save Work", "scene --remove Work"])
def test_a_scenes_file_that_does_not_answer_is_named(
    program: Program, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "FILE_LIMIT_S", 0.05)
    gone = Hold()

    def wait_for_disk(*_names: str, **_devices: bool) -> None:
        gone()

    for name in ("get", "put", "remove"):
        monkeypatch.setattr(program.scenes, name, wait_for_disk)
    hasty = program.controller_with(confirm_s=0.1)

    with pytest.raises(MattecamError, match=r"The scenes file .*scenes\.json does not answer"):
        executed(hasty, command)

    assert "does not answer" in hasty.status()["problems"][0]["message"]
    gone.go_on.set()
    no_longer(has_problems, hasty)


def test_a_disk_that_another_command_waits_for_takes_no_change_back(
    program: Program, disk: DeadDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next background failed with the problem of the one before it."""
    monkeypatch.setattr(changes, "FILE_LIMIT_S", 0.05)

    def is_told_of_beach() -> bool:
        return "Beach does not answer" in str(program.problems())

    first = beside(program.run, "background Beach")
    eventually(is_told_of_beach)

    assert program.run("background #203040") == "Background: #203040."

    disk.hold.go_on.set()
    with pytest.raises(UsageError):
        first.result(60)
    assert program.settings.background.colour == "#203040"


def test_a_call_that_is_late_takes_no_change_back(program: Program) -> None:
    def wait(stop: threading.Event) -> None:
        stop.wait(60)

    late = Worker("late", wait, Stage.BACKGROUND)
    program.pipeline.watch(late)
    late.start()
    late.limit_call(partial(t, "The background before does not open."), 0.0)
    eventually(program.problems)

    assert program.run("background #203040") == "Background: #203040."

    assert late.stop(60)


def test_a_grabber_without_a_signal_is_taken_as_the_source(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its frames arrive: what is connected to it may be switched on later."""
    monkeypatch.setattr(FakeSource, "warning", t("The input has no signal."))
    eventually(program.problems)

    assert program.run("set capture.width 48") == "capture.width: 48"
    assert program.run("retry") == "What failed is tried again."


def test_the_end_waits_for_no_dead_disk_and_leaves_no_address(
    program: Program, address: ControlAddress, disk: DeadDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket and its secret stayed behind, and the process did not end."""
    monkeypatch.setattr(changes, "FILE_LIMIT_S", 0.05)
    running = ControlServer(
        program.controller_with(confirm_s=600.0),
        RunningProgram(always(address)),
    )
    running.listen()
    running.start()
    with sent(address, "background Beach") as waiting:
        assert disk.hold.entered.wait(60)

        assert running.stop(60.0)

        answer = json.loads(waiting.recv_bytes())
    assert not answer["done"] and "does not answer" in answer["message"]
    assert [file.name for file in address.folder.iterdir()] == [transport.LOCK_FILE]


def test_what_is_being_written_is_finished_before_the_end(
    program: Program, address: ControlAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot that was begun is no broken file."""
    file = tmp_path / "a.png"
    writing = Hold()

    def write_slowly(path: Path, image: BgrImage) -> None:
        writing()
        write_snapshot(path, image)

    monkeypatch.setattr(controller, "write_snapshot", write_slowly)
    running = ControlServer(
        program.controller_with(confirm_s=600.0),
        RunningProgram(always(address)),
    )
    running.listen()
    running.start()
    with sent(address, f"snapshot {file}") as waiting:
        assert writing.entered.wait(60)
        ending = beside(running.stop, 60.0)
        eventually(running.threads[0].join, 0)
        writing.go_on.set()

        assert ending.result(60)

        assert json.loads(waiting.recv_bytes())["message"] == f"Saved {file}."
    assert file.stat().st_size > 0


def test_an_answer_of_any_size_arrives_and_a_client_that_does_not_read_delays_nobody(
    address: ControlAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of more than 212 KB was never given."""
    long = "x" * 900_000

    class Talkative(Recorder):
        async def run(self, command: Command) -> str:
            return long if command.name == "get" else await super().run(command)

    with serving(always(address), Talkative()), sent(address, "get"):
        assert ask(Command("get"), at=always(address)).message == long
        assert ask(Command("pause"), at=always(address)).done
