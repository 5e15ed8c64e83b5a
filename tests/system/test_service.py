"""What starts the program by itself: a service of systemd, and an entry that starts the window at login."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.core.errors import MattecamError
from app.core.files import program
from app.system import service
from app.system.autostart import disable, enable, enabled, entry_path, entry_text
from app.system.service import install, remove, run_systemctl, unit_path, unit_text


@pytest.fixture(autouse=True)
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a Linux desktop with systemd and a temporary unit folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """Return the list of the commands in place of running them."""
    commands: list[Sequence[str]] = []
    monkeypatch.setattr(service, "run_systemctl", commands.append)
    return commands


def test_install_writes_enables_and_starts(tmp_path: Path, ran: list[Sequence[str]]) -> None:
    path = install(["--background", "blur:30"])
    assert path == tmp_path / "systemd" / "user" / "mattecam.service" == unit_path()
    assert f'ExecStart="{sys.executable}" "' in path.read_text()
    assert 'run.py" "headless" "--background" "blur:30"\n' in path.read_text()
    assert [" ".join(command) for command in ran] == [
        "systemctl --user daemon-reload",
        "systemctl --user daemon-reload",
        "systemctl --user enable mattecam.service",
        "systemctl --user restart mattecam.service",
    ], "one that runs would keep its old options"


def test_remove_stops_and_forgets(ran: list[Sequence[str]]) -> None:
    assert not remove()
    path = install([])
    ran.clear()
    assert remove()
    assert not path.exists()
    assert [" ".join(command) for command in ran] == [
        "systemctl --user disable --now mattecam.service",
        "systemctl --user daemon-reload",
    ]


def test_where_no_systemd_runs_for_the_user_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container or over `su`: the unit stayed, and `service remove` could not remove it."""
    monkeypatch.setattr(service, "run_systemctl", Mock(side_effect=MattecamError("daemon-reload failed")))
    with pytest.raises(MattecamError, match="daemon-reload"):
        install([])
    assert not unit_path().exists()


def test_words_keep_their_meaning_in_the_unit() -> None:
    text = unit_text(["--background", 'a b"c\\d%h$HOME'], start=["/usr/bin/python3", "/x/run.py"])
    assert 'ExecStart="/usr/bin/python3" "/x/run.py" "headless" "--background" "a b\\"c\\\\d%%h$$HOME"' in text


def test_a_line_break_cannot_smuggle_in_another_setting() -> None:
    with pytest.raises(MattecamError, match="line break"):
        unit_text(["x\nExecStartPre=/bin/rm"], start=["/p", "/r"])


def test_wrong_usage_is_not_tried_again() -> None:
    text = unit_text([], start=["/p", "/r"])
    assert "Restart=on-failure" in text and "RestartPreventExitStatus=2" in text


def test_without_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    for call in (lambda: install([]), remove):
        with pytest.raises(MattecamError, match="no systemd"):
            call()


@pytest.mark.usefixtures("ran")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "systemd").write_text("in the way")
    with pytest.raises(MattecamError, match="cannot be written"):
        install([])


def test_a_failure_of_systemctl_is_one_sentence_and_its_output_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The output was part of the sentence, with its line breaks."""
    script = "echo Failed to connect to bus.; echo See the journal.; exit 3"
    with pytest.raises(MattecamError) as failure:
        run_systemctl(["sh", "-c", script])
    assert str(failure.value) == f"`sh -c {script}` failed with exit code 3; the log has the details."
    assert "Failed to connect to bus.\nSee the journal." in caplog.text
    with pytest.raises(MattecamError, match="cannot be run"):
        run_systemctl(["/no/such/program"])
    run_systemctl(["true"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_itself_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / service.UNIT
    unit.write_text(unit_text(["--background", "100% $HOME"], start=["/bin/sh", "/bin/sh"]))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr


def exec_words(text: str) -> list[str]:
    """Return the words of the key Exec, unescaped twice: as a string, then as a command line."""
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    value = parser["Desktop Entry"]["Exec"].replace("\\\\", "\\").replace("%%", "%")
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', value)
    return [re.sub(r"\\(.)", r"\1", word) for word in words]


def test_the_entry_starts_this_copy_minimised(tmp_path: Path) -> None:
    assert not enabled()
    enable()
    assert enabled() and entry_path() == tmp_path / "autostart" / "mattecam.desktop"
    assert exec_words(entry_path().read_text()) == [*program.command(), "--minimised"]
    assert sys.executable in program.command()
    disable()
    disable()
    assert not enabled() and not list(entry_path().parent.iterdir())


@pytest.mark.parametrize("word", ["/home/a b/run.py", "/100%/run.py", "/a$b`c/run.py", '/a"b/run.py', "/a\\b/run.py"])
def test_special_characters_of_a_path_survive(word: str) -> None:
    assert exec_words(entry_text([word])) == [word, "--minimised"]


def test_a_line_break_in_the_entry_is_refused_in_one_sentence() -> None:
    with pytest.raises(MattecamError, match="line break"):
        entry_text(["/a\nb/run.py"])


def test_an_entry_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "autostart").write_text("a file in place of the folder")
    with pytest.raises(MattecamError, match=r"autostart entry .*mattecam.desktop cannot be changed"):
        enable()
    assert not enabled()
