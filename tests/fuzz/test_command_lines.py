from __future__ import annotations

import io
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import typer

from app.cli import main
from models.table import NETWORKS
from tests.fuzz.damage import sampled

CHANGE_THE_MACHINE = {"--fix"}


def walk(command: object) -> Iterator[object]:
    """Yield the command and all its subcommands."""
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from walk(below)


WHOLE = typer.main.get_command(main.app)
COMMANDS = [*getattr(WHOLE, "commands"), "nonsense"]  # noqa: B009 - typer's own type for groups is private
SECOND = [name for command in walk(WHOLE) if command is not WHOLE for name in getattr(command, "commands", {})]
OPTIONS = sorted(
    option
    for option in {
        option
        for command in walk(WHOLE)
        for parameter in getattr(command, "params", ())
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--")
    }
    - CHANGE_THE_MACHINE
)
FLAGS = [*OPTIONS, "-h", "--", "-"]
VALUES = [
    "auto", "demo", "camera:0", "camera:/dev/video99", "camera:-1", "1280x720", "0x0", "99999x1", "12x", "30", "0",
    "-1", "nan", "inf", "1e999", "0.25", "2", "blur", "blur:50", "blur:", "blur:101", "#123456", "#12", "green", "none",
    "off", "cpu", "cuda:99", "mps", "eager", "float16", "MJPG", "", " ", "\n", "é💡", "\udcff", "/", "/dev/null",
    "/no/such/file",    "x" * 5000, "%s%n", "$(true)", "../..", "a\0b",
]  # fmt: skip


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Replace work that takes long or changes the machine by no-ops; argument parsing stays real."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MATTECAM_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr("app.gui.shell.application.run_window", lambda settings, options: 0)
    monkeypatch.setattr("app.cli.headless.run", lambda start, options: 0)
    monkeypatch.setattr("app.doctor.checks.run_checks", lambda system: ())
    monkeypatch.setattr("app.cli.bench_run.measure_models", lambda *words: {"results": []})
    monkeypatch.setattr("app.cli.bench_run.choose_again", lambda *words: {"choices": []})
    monkeypatch.setattr("app.cli.plate.take_plate", lambda *words: tmp_path / "plate.png")
    monkeypatch.setattr("app.cli.weights._download", lambda name, again: tmp_path)
    (tmp_path / "broken.json").write_text("{")


def words(rng: random.Random) -> list[str]:
    line = [rng.choice(COMMANDS)] if rng.random() < 0.8 else []
    for _ in range(rng.randrange(6)):
        kind = rng.random()
        if kind < 0.5:
            line += [rng.choice(OPTIONS), rng.choice([*VALUES, *NETWORKS, "broken.json"])]
        elif kind < 0.65:
            line.append(rng.choice(FLAGS))
        elif kind < 0.8:
            line.append(rng.choice(SECOND))
        else:
            line.append(rng.choice(VALUES))
    return line


@sampled(50, 1000)
def test_command_lines(cases: int, nothing_runs: None, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(7)
    for _ in range(cases):
        line = words(rng)
        for stream in (sys.stdout, sys.stderr):  # as Python configures the real streams, unlike those of pytest
            cast("io.TextIOWrapper", stream).reconfigure(errors="backslashreplace")
        code = main.main(line)
        written = capsys.readouterr()
        assert code in (0, 1, 2), line
        assert "Traceback" not in written.err, line
        assert code == 0 or written.err or written.out, f"failed without a word: {line}"
