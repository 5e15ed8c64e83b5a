"""What a check found, why it matters, and how to fix it with the commands of this Linux
distribution.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from app.core.errors import Text, t
from app.doctor.system import System


class State(Enum):
    """How serious a finding is."""

    OK = "ok"
    # The program works, but something is missing or will surprise the user.
    WARNING = "warning"
    # A part of the program cannot work.
    PROBLEM = "problem"


class CommandLine(str):
    """A line to run or to copy into a file; it is never translated."""

    __slots__ = ()


# What to do, in order: sentences and commands.
Steps = tuple[Text | CommandLine, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about this machine that decides whether the program can work."""

    # What was checked, such as `virtual camera: module`.
    check: Text
    state: State
    # What was found, in one sentence.
    detail: Text
    # Why it matters; None if all is well.
    why: Text | None = None
    # How to fix it; empty if nothing is to be done.
    steps: Steps = ()

    @property
    def fix(self) -> str:
        """The steps, one per line."""
        return "\n".join(self.steps)

    def as_json(self) -> dict[str, str]:
        """Return the fields of `doctor --json`."""
        return {
            "check": self.check,
            "state": self.state.value,
            "detail": self.detail,
            "why": self.why or "",
            "fix": self.fix,
        }


# Why a check matters, by its name or by the part before the colon.
WHY: Mapping[str, Text] = {
    "camera": t("Without a camera, only the demo and video files are available."),
    "camera: permission": t("Without permission the camera cannot be read."),
    "camera: in use": t("A camera delivers frames to one program at a time."),
    "virtual camera": t(
        "Without a virtual camera other programs cannot see the picture; only recording works.",
    ),
    "virtual camera: Secure Boot": t(
        "With Secure Boot the kernel rejects modules whose key is not enrolled (“Key was rejected "
        "by service”).",
    ),
    "virtual camera: seen by browsers": t(
        "Chromium, Chrome, Teams, Discord and Zoom do not list a virtual camera that also accepts "
        "output.",
    ),
    "virtual camera: permission": t(
        "Without permission the program cannot send frames to the virtual camera.",
    ),
    "virtual camera: in use": t("A virtual camera accepts frames from one program at a time."),
    "virtual camera: test picture": t("Other programs see the same."),
    "PipeWire camera: test picture": t("Other programs see the same."),
    "virtual camera: after a restart": t("After a restart the virtual camera is missing."),
    "virtual camera: options": t(
        "modprobe merges the options of all files, so devices may get another number, label or "
        "mode.",
    ),
    "PipeWire camera": t(
        "Programs that look for cameras in PipeWire, such as browsers and Flatpak programs, do not "
        "show the camera.",
    ),
    "graphics card": t(
        "On a CPU the most accurate models reach a few frames per second; a graphics card runs "
        "them in real time.",
    ),
    "models": t("Without a model the background cannot be replaced."),
    "disk": t("The program cannot store its files."),
    "display": t("The window cannot open; the program runs without a window."),
    "display: libraries": t("Qt cannot open a window without them."),
    "variables": t(
        "Libraries and packages that they name may take the place of the program's own and make it "
        "fail.",
    ),
}


def ok(check: Text, detail: Text) -> Finding:
    """Return the finding that all is well."""
    return Finding(check, State.OK, detail)


def warning(
    check: Text,
    detail: Text,
    *steps: Text | CommandLine,
    why: Text | None = None,
) -> Finding:
    """Return the finding of something that is missing or surprises.

    why: where that of `WHY` does not fit.
    """
    why = why or WHY.get(check) or WHY.get(check.partition(":")[0])
    return Finding(check, State.WARNING, detail, why, steps)


def problem(
    check: Text,
    detail: Text,
    *steps: Text | CommandLine,
    why: Text | None = None,
) -> Finding:
    """Return the finding of something that keeps a part of the program from working.

    why: as in `warning`.
    """
    return replace(warning(check, detail, *steps, why=why), state=State.PROBLEM)


DKMS = "sudo dkms autoinstall -k {release}"


@dataclass(frozen=True, slots=True)
class Distribution:
    """A family of Linux distributions.

    In commands, `{release}` stands for the kernel and `{headers}` for the package of its headers on
    Arch.
    """

    # In /etc/os-release.
    name: str = ""
    # The command that installs packages.
    install: str = ""
    # What installs v4l2loopback.
    module: tuple[Text | str, ...] = (
        t(
            "Install the package v4l2loopback (often v4l2loopback-dkms) and the headers of the "
            "running kernel.",
        ),
    )
    # What builds an installed v4l2loopback.
    build: tuple[Text | str, ...] = (t("Install the headers of the running kernel, then:"), DKMS)


DISTRIBUTIONS = (
    Distribution(
        "debian",
        "sudo apt install",
        ("sudo apt install v4l2loopback-dkms linux-headers-{release}",),
        ("sudo apt install linux-headers-{release}", DKMS),
    ),
    Distribution(
        "fedora",
        "sudo dnf install",
        (
            t("With RPM Fusion (free) enabled:"),
            "sudo dnf install akmod-v4l2loopback",
            "sudo akmods --force",
        ),
        ("sudo dnf install kernel-devel-{release}", "sudo akmods --force --kernels {release}"),
    ),
    Distribution(
        "arch",
        "sudo pacman -S --needed",
        ("sudo pacman -S --needed v4l2loopback-dkms {headers}",),
        ("sudo pacman -S --needed {headers}", DKMS),
    ),
    Distribution(
        "suse",
        "sudo zypper install",
        ("sudo zypper install v4l2loopback-kmp-default",),
        ("sudo zypper update v4l2loopback-kmp-default kernel-default",),
    ),
    Distribution("nixos"),
)


def detect(system: System) -> Distribution:
    """Return the family that /etc/os-release names in ID or ID_LIKE."""
    lines = re.findall(r"^ID(?:_LIKE)?=(.*)", system.read("/etc/os-release"), re.MULTILINE)
    # What builds on Ubuntu may name it alone.
    named = " ".join(lines).lower().replace("ubuntu", "debian")
    words = re.findall(r"\w+", named)
    for known in DISTRIBUTIONS:
        if known.name in words:
            return known
    return Distribution()


def for_kernel(lines: Sequence[Text | str], release: str) -> Steps:
    """Return steps of a distribution for the kernel `release`.

    That of Arch contains its flavour.
    """
    headers = "linux-headers"
    for flavour in ("lts", "zen", "hardened", "rt"):
        if f"-{flavour}" in release:
            headers = f"linux-{flavour}-headers"
            break
    steps: list[Text | CommandLine] = []
    for line in lines:
        if isinstance(line, Text):
            steps.append(line)
        else:
            steps.append(CommandLine(line.format(release=release, headers=headers)))
    return tuple(steps)


def nixos_configuration(options: str) -> Steps:
    """Return the steps that change configuration.nix; NixOS discards changes in /etc. options.

    Of v4l2loopback.
    """
    return (
        t("In /etc/nixos/configuration.nix:"),
        CommandLine("boot.extraModulePackages = [ config.boot.kernelPackages.v4l2loopback ];"),
        CommandLine('boot.kernelModules = [ "v4l2loopback" ];'),
        CommandLine(f"boot.extraModprobeConfig = ''options v4l2loopback {options}'';"),
        t("Then:"),
        CommandLine("sudo nixos-rebuild switch"),
    )


def install_package(system: System, **names: str) -> Steps:
    """Return the steps that install the package.

    names: its name by distribution; `every`: that in all others.
    """
    distribution = detect(system)
    name = names.get(distribution.name, names.get("every"))
    if name is None or not distribution.install:
        packages = sorted(set(names.values()))
        return (t("Install one of these packages: {packages}.", packages=packages),)
    return (CommandLine(f"{distribution.install} {name}"),)
