"""The entry that starts the window at login."""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path

import pytest

from app.core.errors import MattecamError
from app.core.files import program
from app.system.autostart import disable, enable, enabled, entry_path, entry_text


@pytest.fixture(autouse=True)
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a Linux desktop with a temporary settings folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")


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
