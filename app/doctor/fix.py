"""Repair the virtual camera (`doctor --fix`).

Write two files and load the module, after the user has confirmed.
"""

from __future__ import annotations

import logging
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress

from app.core import camera_names
from app.core.errors import MattecamError, Text, t
from app.doctor.finding import detect, nixos_configuration
from app.doctor.system import System
from app.doctor.virtual_camera import check_module, find_device, module_options, read_module

log = logging.getLogger(__name__)

MODPROBE_FILE = "/etc/modprobe.d/mattecam.conf"
LOAD_FILE = "/etc/modules-load.d/mattecam.conf"
_FIX_TIMEOUT_S = 300.0  # includes the time to enter a password


def make_script(system: System) -> list[str]:
    """Return the shell lines to run as root so that other programs list the virtual camera.

    The first failure ends it.

    Empty if nothing is to be done. Raise MattecamError if the repair is not possible.
    """
    if not system.platform.startswith("linux"):
        raise MattecamError(
            "On this system the virtual camera comes from OBS; run `doctor` to see what to install.",
        )
    module = read_module(system)
    device = find_device(system)
    nixos = detect(system).name == "nixos"
    if nixos or (not module.built and device is None):
        finding = check_module(system, module, device)
        steps = finding.fix
        if nixos:
            steps = "\n".join(nixos_configuration(module_options(system)))
        message = f"{finding.detail}\n{steps}"  # lines of steps after the sentence
        raise MattecamError(message)
    options = f"options v4l2loopback {module_options(system)}"
    works = device is not None and device.exclusive_caps  # until the next restart
    if works and options in system.read(MODPROBE_FILE) and "v4l2loopback" in system.read(LOAD_FILE):
        return []
    lines = [
        f"mkdir -p {MODPROBE_FILE.rpartition('/')[0]} {LOAD_FILE.rpartition('/')[0]}",
        f"printf '%s\\n' {shlex.quote(options)} > {MODPROBE_FILE}",
        f"printf '%s\\n' v4l2loopback > {LOAD_FILE}",
    ]
    if works:
        return lines
    if module.loaded:  # options are read when the module is loaded
        lines.append("modprobe -r v4l2loopback")
    lines.append("modprobe v4l2loopback")
    return lines


def elevate(system: System) -> list[str]:
    """Return the prefix that runs a command as root.

    Nothing for root, sudo on a terminal, pkexec on a desktop.
    """
    if system.user == "root":
        return []
    desktop = bool(system.environment.get("DISPLAY") or system.environment.get("WAYLAND_DISPLAY"))
    terminal = bool(system.environment.get("TERM"))
    # The last one also where nothing can ask for a password: sudo may need none.
    for name, usable in (("sudo", terminal), ("pkexec", desktop), ("sudo", True)):
        if usable and shutil.which(name, path=system.environment.get("PATH")):
            return [name]
    raise MattecamError("Neither sudo nor pkexec is installed; run the shown commands as root.")


def shell(script: Sequence[str]) -> list[str]:
    """Return the command line of a script."""
    return ["sh", "-euc", "\n".join(script)]


def desktop_command(system: System) -> list[str]:
    """Return the command line of the repair with a password dialog of the desktop in place of a
    terminal.

    Empty if nothing is to be done, the repair is not possible, or the desktop has no such dialog.
    """
    script: list[str] = []
    with suppress(MattecamError):
        script = make_script(system)
    if not script:
        return []
    if system.user == "root":
        return shell(script)
    if shutil.which("pkexec", path=system.environment.get("PATH")):
        return ["pkexec", "--disable-internal-agent", *shell(script)]
    return []


def run_fix(line: Sequence[str]) -> None:
    """Run the command line; sudo may ask for a password on the terminal.

    Raise MattecamError if it fails.
    """
    try:
        done = subprocess.run(
            list(line),
            check=False,
            timeout=_FIX_TIMEOUT_S,
            stderr=subprocess.PIPE,
        )
    except subprocess.TimeoutExpired as error:
        raise MattecamError(
            f"The repair did not finish within {_FIX_TIMEOUT_S:.0f} seconds; run the shown "
            "commands as root.",
        ) from error
    except OSError as error:
        raise MattecamError(
            t(
                "The repair could not be started ({program} cannot be run); run the shown commands "
                "as root.",
                program=line[0],
            )
        ) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise MattecamError(failure(said, done.returncode))


def failure(output: str, exit_code: int) -> Text:
    """Return what a failed script means, in a sentence; the log gets its output."""
    log.warning("The repair ended with exit code %d: %s", exit_code, output)
    if "in use" in output:
        return t(
            "The repair failed: the virtual camera is in use. Close the programs that use it and "
            "try again.",
        )
    if "Key was rejected" in output or "Required key not available" in output:
        return t(
            "The repair failed: Secure Boot rejects the module. Enrol its key as shown under "
            "“Virtual camera: Secure Boot”."
        )
    if "Operation not permitted" in output:
        return t("The repair failed: Secure Boot or a container forbids loading modules.")
    if "No authentication agent" in output:
        return t("This desktop cannot ask for the password; run the shown commands in a terminal.")
    if "Request dismissed" in output or "Not authorized" in output:
        return t("Nothing was changed: the password was not entered.")
    return t(
        "The repair failed with exit code {code} (details are in the log); run the shown commands "
        "as root.",
        code=exit_code,
    )


def fix(
    system: System,
    ask: Callable[[str], bool],
    run: Callable[[Sequence[str]], None] = run_fix,
) -> str:
    """Repair and return one sentence about what was done. Raise MattecamError if it failed.

    ask: shows what will be run; returns True to continue.
    """
    script = make_script(system)
    if not script:
        return f"Nothing to repair: the virtual camera “{camera_names.OWN}” is set up."
    prefix = elevate(system)
    line = [*prefix, *shell(script)]
    heading = f"As root (with {prefix[0]}):" if prefix else "As root:"
    if not ask("\n".join([heading, *script])):
        return "Nothing was changed."
    run(line)
    return "Done: the virtual camera is loaded, now and at every start of the computer."
