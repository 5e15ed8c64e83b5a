"""What `doctor --fix` does: write two files, load the module. Shown first, done only after the user agreed."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.core.errors import MattecamError
from app.doctor import distribution as dist
from app.doctor.loopback import LABEL, LoopbackDevice, Module, choose_device, free_number, read_devices, read_module
from app.doctor.system import System
from app.doctor.virtual_camera import check_module

MODPROBE_FILE = "/etc/modprobe.d/mattecam.conf"
LOAD_FILE = "/etc/modules-load.d/mattecam.conf"
_FIX_TIMEOUT_S = 300.0  # the user may have to look for a password


class FixError(MattecamError):
    """The repair could not be done."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A script for root, shown to the user as it is."""

    script: tuple[str, ...]
    """Shell lines; the first that fails ends it. Empty: nothing is to be done."""
    refusal: str = ""
    """Why nothing can be done from here; empty where something can."""


def make_plan(system: System) -> Plan:
    """What has to be done on this machine so that other programs find the virtual camera."""
    if not system.platform.startswith("linux"):
        return Plan((), "On this system the virtual camera comes from OBS; see what the doctor says to install.")
    distribution = dist.detect(system)
    if distribution is dist.Distribution.NIXOS:
        return Plan((), dist.nixos_configuration(_device_number(system)))
    module = read_module(system)
    devices = read_devices(system)
    if not module.built and not devices:
        finding = check_module(system, module, devices)
        return Plan((), f"{finding.detail}\n{finding.fix}")
    device = choose_device(devices)
    if device is not None and device.exclusive_caps and _written(system, device.number):
        return Plan(())
    return Plan(tuple(_script(system, module, device)))


def _device_number(system: System) -> int:
    """The number that our device has, or would get."""
    device = choose_device(read_devices(system))
    return device.number if device is not None else free_number(system)


def _options(number: int) -> str:
    return f"options v4l2loopback {dist.MODULE_OPTIONS.format(number=number)}"


def _written(system: System, number: int) -> bool:
    return _options(number) in system.read(MODPROBE_FILE) and "v4l2loopback" in system.read(LOAD_FILE)


def _script(system: System, module: Module, device: LoopbackDevice | None) -> list[str]:
    number = _device_number(system)
    lines = [
        f"mkdir -p {MODPROBE_FILE.rpartition('/')[0]} {LOAD_FILE.rpartition('/')[0]}",
        f"printf '%s\\n' {shlex.quote(_options(number))} > {MODPROBE_FILE}",
        f"printf '%s\\n' v4l2loopback > {LOAD_FILE}",
    ]
    if device is not None and device.exclusive_caps:
        return lines  # it works already; it only was not there at the next start
    if module.loaded:
        lines.append("modprobe -r v4l2loopback")
    lines.append("modprobe v4l2loopback")
    return lines


def elevate(system: System) -> list[str]:
    """The command that runs a script as root: none for root, sudo on a terminal, pkexec on a desktop."""
    if system.user == "root":
        return []
    desktop = bool(system.environment.get("DISPLAY") or system.environment.get("WAYLAND_DISPLAY"))
    terminal = bool(system.environment.get("TERM"))
    for name, usable in (("sudo", terminal), ("pkexec", desktop), ("sudo", True)):
        if usable and shutil.which(name, path=system.environment.get("PATH")):
            return [name]
    raise FixError("Neither sudo nor pkexec is installed; run the shown commands as root.")


def command(system: System, plan: Plan) -> list[str]:
    """The whole command line of a plan, for showing and for running."""
    return [*elevate(system), "sh", "-euc", "\n".join(plan.script)]


def run_fix(line: Sequence[str]) -> None:
    """Run it; sudo may ask for the password on the terminal. Raises FixError."""
    try:
        done = subprocess.run(list(line), check=False, timeout=_FIX_TIMEOUT_S, stderr=subprocess.PIPE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FixError(f"The repair could not be run: {error}.") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise FixError(f"The repair failed: {said or f'exit code {done.returncode}'}{_advice(said)}")


def _advice(said: str) -> str:
    """What the usual refusals of modprobe mean."""
    meanings = {
        "in use": ". Close the programs that use the virtual camera and try again.",
        "Key was rejected": ". Secure Boot refuses the module: enrol its key as the doctor says.",
        "Required key not available": ". Secure Boot refuses the module: enrol its key as the doctor says.",
        "Operation not permitted": ". Secure Boot or a container forbids loading modules.",
    }
    return next((advice for words, advice in meanings.items() if words in said), "")


Ask = Callable[[str], bool]
"""Shows what will be run and asks; True: go on."""


def fix(system: System, ask: Ask, run: Callable[[Sequence[str]], None] = run_fix) -> str:
    """Repair after asking; gives one sentence about what was done. Raises FixError."""
    plan = make_plan(system)
    if plan.refusal:
        raise FixError(plan.refusal)
    if not plan.script:
        return f"Nothing to repair: the virtual camera “{LABEL}” is set up."
    line = command(system, plan)
    shown = "\n".join(plan.script)
    prefix = f"As root (through {line[0]}):\n" if line[0] != "sh" else "As root:\n"
    if not ask(prefix + shown):
        return "Nothing was changed."
    run(line)
    return "Done: the virtual camera is loaded, now and whenever the machine starts."
