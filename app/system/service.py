"""The systemd user unit that runs `run.py headless` in the background of a Linux desktop."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from app.core.errors import MattecamError
from app.core.files import program
from app.core.files.disk_errors import why_not_written
from app.core.files.private_file import write_private
from app.core.messages.system import ServiceText

log = logging.getLogger(__name__)

UNIT = "mattecam.service"
_TIMEOUT_S = 60.0


def unit_path() -> Path:
    """Return the path of the unit in the user's systemd folder."""
    return platformdirs.user_config_path() / "systemd" / "user" / UNIT


def unit_text(options: Sequence[str], *, start: Sequence[str]) -> str:
    """Return the systemd unit.

    start: the command line that starts the program. options: those of `run.py headless`. Raises MattecamError for a
    line break in a word.
    """
    command = " ".join(_quoted(word) for word in [*start, "headless", *options])
    return "\n".join(
        (
            "[Unit]",
            "Description=Mattecam virtual webcam",
            "After=graphical-session.target",
            "StartLimitIntervalSec=60",
            "StartLimitBurst=5",
            "",
            "[Service]",
            f"ExecStart={command}",
            "Restart=on-failure",
            "RestartSec=3",
            "# wrong usage does not get better by itself",
            "RestartPreventExitStatus=2",
            "# an interruption is how systemd ends it",
            "SuccessExitStatus=130",
            "TimeoutStopSec=20",
            "NoNewPrivileges=yes",
            "UMask=0077",
            "",
            "[Install]",
            "WantedBy=default.target",
            "",
        )
    )


def _quoted(word: str) -> str:
    """Quote a word for systemd.service(5); escape % and $."""
    if "\n" in word or "\r" in word or "\0" in word:
        raise MattecamError(ServiceText.LINE_BREAK(option=word.replace("\n", " ")))
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def install(options: Sequence[str]) -> Path:
    """Write the unit, enable and start it, also anew with other options; return its path. Raises MattecamError."""
    _check_system()
    path = unit_path()
    text = unit_text(options, start=program.command())
    run_systemctl(["systemctl", "--user", "daemon-reload"])  # without a user's systemd nothing is written
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, text.encode())
    except OSError as error:
        raise MattecamError(ServiceText.NOT_WRITTEN(file=path, reason=why_not_written(error))) from error
    run_systemctl(["systemctl", "--user", "daemon-reload"])
    run_systemctl(["systemctl", "--user", "enable", UNIT])
    run_systemctl(["systemctl", "--user", "restart", UNIT])
    return path


def remove() -> bool:
    """Stop, disable and delete the service; return False if it was not installed. Raises MattecamError."""
    _check_system()
    path = unit_path()
    if not path.exists():
        return False
    run_systemctl(["systemctl", "--user", "disable", "--now", UNIT])
    path.unlink(missing_ok=True)
    run_systemctl(["systemctl", "--user", "daemon-reload"])
    return True


def _check_system() -> None:
    if not sys.platform.startswith("linux") or shutil.which("systemctl") is None:
        raise MattecamError(ServiceText.NO_SYSTEMD())


def run_systemctl(command: Sequence[str]) -> None:
    """Run systemctl for the user; raise MattecamError and log its output if it fails."""
    try:
        done = subprocess.run(
            list(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MattecamError(ServiceText.NOT_RUN(command=" ".join(command))) from error
    if done.returncode != 0:
        words = " ".join(command)
        log.warning("%s: %s", words, done.stdout.decode("utf-8", "replace").strip())
        raise MattecamError(ServiceText.FAILED(command=words, code=done.returncode))
