"""Commands over a socket and over a pipe: each one is answered, and none delays another."""

from __future__ import annotations

import threading

import pytest

from app.control.commands import Command
from app.control.server import ControlServer
from app.control.transport import ControlAddress, ask
from tests.control.recorder import Recorder
from tests.waiting import beside


def test_every_command_arrives_and_is_answered(
    address: ControlAddress, controller: Recorder, server: ControlServer
) -> None:
    commands = [Command("background", "Büro am Meer.png"), Command("framing", "1.5 0,-1"), Command("quit")]
    for command in commands:
        answer = ask(command, at=lambda: address)
        assert answer.done
        assert answer.message == f"{command.name} done"
    assert controller.commands == commands
    assert threading.main_thread() not in controller.threads


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (Command("scene", "nowhere"), "There is no scene 'nowhere'"),
        (Command("framing", "0.5"), "it must be at least 1"),
        (Command("dance"), "the commands are autostart, background, framing, freeze"),
        (Command("pause", "now"), "the choices are on, off, toggle"),
        (Command("resume", "now"), "takes no argument"),
        (Command("scene"), "needs an argument: NAME"),
        (Command("background"), "next|NAME|NUMBER"),
    ],
)
def test_errors_are_answered_with_the_choices(
    address: ControlAddress, server: ControlServer, command: Command, words: str
) -> None:
    answer = ask(command, at=lambda: address)
    assert not answer.done
    assert words in answer.message
    assert ask(Command("pause"), at=lambda: address).done, "the server keeps serving"


@pytest.mark.error_logs
def test_a_defect_in_a_command_is_answered_and_logged(
    address: ControlAddress, server: ControlServer, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(Command("scene", "defect"), at=lambda: address)
    assert not answer.done
    assert answer.message == "The command failed; the log of the running program has the details."
    assert any(record.exc_info and isinstance(record.exc_info[1], ZeroDivisionError) for record in caplog.records)
    assert "A control command failed" in caplog.text
    assert ask(Command("pause"), at=lambda: address).done


def test_a_slow_command_delays_no_other(address: ControlAddress, controller: Recorder, server: ControlServer) -> None:
    slow = beside(lambda: ask(Command("scene", "slow"), at=lambda: address))
    assert controller.entered.wait(60)
    assert ask(Command("pause"), at=lambda: address).done
    assert controller.commands == [Command("pause")]
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "control-call"), "outlives the end"
    controller.close()
    slow.result(60)


def test_stopping_answers_a_running_command(address: ControlAddress, controller: Recorder) -> None:
    server = ControlServer(controller, at=lambda: address)
    server.start()
    client = beside(lambda: ask(Command("scene", "slow"), at=lambda: address))
    assert controller.entered.wait(60)
    assert server.stop()
    assert client.result(60).message == "scene done"
