"""Repair the virtual camera (`doctor --fix`): write two files and load the module, after the user has confirmed."""

from __future__ import annotations

import logging
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence

from app.core import camera_names
from app.core.errors import MattecamError
from app.core.messages.doctor import DoctorFix, RepairFailure
from app.core.text import Text
from app.doctor import distribution as dist
from app.doctor.loopback import LoopbackDevice, Module, choose_device, free_number, read_devices, read_module
from app.doctor.system import System
from app.doctor.virtual_camera import check_module

log = logging.getLogger(__name__)

MODPROBE_FILE = "/etc/modprobe.d/mattecam.conf"
LOAD_FILE = "/etc/modules-load.d/mattecam.conf"
_FIX_TIMEOUT_S = 300.0  # includes the time to enter a password


def make_script(system: System) -> list[str]:
    """Return the shell lines to run as root so that other programs list the virtual camera; the first failure ends it.

    Empty if nothing is to be done. Raise MattecamError if the repair is not possible.
    """
    if not system.platform.startswith("linux"):
        raise MattecamError(DoctorFix.NOT_LINUX())
    module = read_module(system)
    devices = read_devices(system)
    device = choose_device(devices)
    nixos = dist.detect(system) is dist.Distribution.NIXOS
    if nixos or (not module.built and not devices):
        finding = check_module(system, module, devices)
        steps = "\n".join(dist.nixos_configuration(_number(system, device))) if nixos else finding.fix
        told = DoctorFix.FOLLOW(detail=finding.detail, steps=steps)  # lines of steps after the sentence
        raise MattecamError(told)
    if device is not None and device.exclusive_caps and _written(system, device.number):
        return []
    return _script(system, module, device)


def _number(system: System, device: LoopbackDevice | None) -> int:
    """Return the number of our device, or the one that it will get."""
    return device.number if device is not None else free_number(system)


def _options(number: int) -> str:
    return f"options v4l2loopback {dist.MODULE_OPTIONS.format(number=number)}"


def _written(system: System, number: int) -> bool:
    return _options(number) in system.read(MODPROBE_FILE) and "v4l2loopback" in system.read(LOAD_FILE)


def _script(system: System, module: Module, device: LoopbackDevice | None) -> list[str]:
    lines = [
        f"mkdir -p {MODPROBE_FILE.rpartition('/')[0]} {LOAD_FILE.rpartition('/')[0]}",
        f"printf '%s\\n' {shlex.quote(_options(_number(system, device)))} > {MODPROBE_FILE}",
        f"printf '%s\\n' v4l2loopback > {LOAD_FILE}",
    ]
    if device is not None and device.exclusive_caps:
        return lines  # it works until the next restart
    if module.loaded:
        lines.append("modprobe -r v4l2loopback")
    lines.append("modprobe v4l2loopback")
    return lines


def elevate(system: System) -> list[str]:
    """Return the prefix that runs a command as root: nothing for root, sudo on a terminal, pkexec on a desktop."""
    if system.user == "root":
        return []
    desktop = bool(system.environment.get("DISPLAY") or system.environment.get("WAYLAND_DISPLAY"))
    terminal = bool(system.environment.get("TERM"))
    for name, usable in (("sudo", terminal), ("pkexec", desktop), ("sudo", True)):
        if usable and shutil.which(name, path=system.environment.get("PATH")):
            return [name]
    raise MattecamError(DoctorFix.NO_ELEVATION())


def shell(script: Sequence[str]) -> list[str]:
    """Return the command line of a script."""
    return ["sh", "-euc", "\n".join(script)]


def desktop_command(system: System) -> list[str]:
    """Return the command line of the repair with a password dialog of the desktop in place of a terminal.

    Empty if nothing is to be done, the repair is not possible, or the desktop has no such dialog.
    """
    try:
        script = make_script(system)
    except MattecamError:
        return []
    if not script or system.user == "root":
        return shell(script) if script else []
    if shutil.which("pkexec", path=system.environment.get("PATH")) is None:
        return []
    return ["pkexec", "--disable-internal-agent", *shell(script)]


def run_fix(line: Sequence[str]) -> None:
    """Run the command line; sudo may ask for a password on the terminal. Raise MattecamError if it fails."""
    try:
        done = subprocess.run(list(line), check=False, timeout=_FIX_TIMEOUT_S, stderr=subprocess.PIPE)
    except subprocess.TimeoutExpired as error:
        raise MattecamError(DoctorFix.TIMED_OUT(seconds=f"{_FIX_TIMEOUT_S:.0f}")) from error
    except OSError as error:
        raise MattecamError(RepairFailure.NOT_RUN(program=line[0])) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise MattecamError(failure(said, done.returncode))


def failure(output: str, exit_code: int) -> Text:
    """Return what a failed script means, in a sentence; the log gets its output."""
    log.warning("The repair ended with exit code %d: %s", exit_code, output)
    meanings = {
        "in use": RepairFailure.FAILED_IN_USE,
        "Key was rejected": RepairFailure.FAILED_KEY,
        "Required key not available": RepairFailure.FAILED_KEY,
        "Operation not permitted": RepairFailure.FAILED_FORBIDDEN,
        "No authentication agent": RepairFailure.NO_DIALOG,
        "Request dismissed": RepairFailure.DISMISSED,
        "Not authorized": RepairFailure.DISMISSED,
    }
    known = next((message for words, message in meanings.items() if words in output), None)
    if known is not None:
        return known()
    return RepairFailure.FAILED(code=exit_code)


Ask = Callable[[str], bool]
"""Shows what will be run and asks; returns True to continue."""


def fix(system: System, ask: Ask, run: Callable[[Sequence[str]], None] = run_fix) -> Text:
    """Repair after asking and return one sentence about what was done. Raise MattecamError if it failed."""
    script = make_script(system)
    if not script:
        return DoctorFix.NOTHING_TO_DO(label=camera_names.OWN)
    line = [*elevate(system), *shell(script)]
    shown = "\n".join(script)
    question = DoctorFix.AS_ROOT(script=shown)
    if line[0] != "sh":
        question = DoctorFix.AS_ROOT_WITH(program=line[0], script=shown)
    if not ask(question):
        return DoctorFix.DECLINED()
    run(line)
    return DoctorFix.DONE()
