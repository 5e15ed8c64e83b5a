"""Detect the Linux distribution and give its commands for installing packages and kernel modules."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.errors import Text, t
from app.doctor.finding import CommandLine, Steps
from app.doctor.system import System

DKMS = "sudo dkms autoinstall -k {release}"


@dataclass(frozen=True, slots=True)
class Distribution:
    """A family of Linux distributions.

    In commands, `{release}` stands for the kernel and `{headers}` for the package of its headers on Arch.
    """

    names: tuple[str, ...]
    """In /etc/os-release."""
    install: str = ""
    """The command that installs packages."""
    module: tuple[str, ...] = ()
    """Commands that install v4l2loopback."""
    build: tuple[str, ...] = ()
    """Commands that build an installed v4l2loopback."""
    before_module: tuple[Text, ...] = ()


DEBIAN = Distribution(
    ("debian", "ubuntu"),
    "sudo apt install",
    ("sudo apt install v4l2loopback-dkms linux-headers-{release}",),
    ("sudo apt install linux-headers-{release}", DKMS),
)
FEDORA = Distribution(
    ("fedora", "rhel"),
    "sudo dnf install",
    ("sudo dnf install akmod-v4l2loopback", "sudo akmods --force"),
    ("sudo dnf install kernel-devel-{release}", "sudo akmods --force --kernels {release}"),
    (t("With RPM Fusion (free) enabled:"),),
)
ARCH = Distribution(
    ("arch",),
    "sudo pacman -S --needed",
    ("sudo pacman -S --needed v4l2loopback-dkms {headers}",),
    ("sudo pacman -S --needed {headers}", DKMS),
)
SUSE = Distribution(
    ("suse", "opensuse"),
    "sudo zypper install",
    ("sudo zypper install v4l2loopback-kmp-default",),
    ("sudo zypper update v4l2loopback-kmp-default kernel-default",),
)
NIXOS = Distribution(("nixos",))
OTHER = Distribution(())
KNOWN = DEBIAN, FEDORA, ARCH, SUSE, NIXOS
MODULE_OPTIONS = 'devices=1 video_nr={number} card_label="Mattecam" exclusive_caps=1'
"""Options for loading v4l2loopback."""


def detect(system: System) -> Distribution:
    """Return the family that /etc/os-release names in ID or ID_LIKE."""
    fields = {}
    for line in system.read("/etc/os-release").splitlines():
        name, _, value = line.partition("=")
        fields[name.strip()] = _unquote(value)
    for word in [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]:
        for known in KNOWN:
            if word.lower().split("-")[0] in known.names:
                return known
    return OTHER


def _unquote(value: str) -> str:
    try:
        return " ".join(shlex.split(value))
    except ValueError:  # an unclosed quotation mark
        return value.strip("'\" ")


def install_module(distribution: Distribution, release: str) -> Steps:
    """Return the steps that install v4l2loopback for the kernel `release`; on NixOS see below."""
    if not distribution.module:
        return (t("Install the package v4l2loopback (often v4l2loopback-dkms) and the headers of the running kernel."),)
    return *distribution.before_module, *_commands(distribution.module, release)


def build_module(distribution: Distribution, release: str) -> Steps:
    """Return the steps that build an installed v4l2loopback for the kernel `release`."""
    if not distribution.build:
        return t("Install the headers of the running kernel, then:"), *_commands((DKMS,), release)
    return _commands(distribution.build, release)


def _commands(lines: Sequence[str], release: str) -> Steps:
    # The release of an Arch kernel contains its flavour.
    flavour = next((f"-{name}" for name in ("lts", "zen", "hardened", "rt") if f"-{name}" in release), "")
    return tuple(CommandLine(line.format(release=release, headers=f"linux{flavour}-headers")) for line in lines)


def nixos_configuration(number: int) -> Steps:
    """Return the steps that change configuration.nix; NixOS discards changes in /etc."""
    options = MODULE_OPTIONS.format(number=number)
    return (
        t("In /etc/nixos/configuration.nix:"),
        CommandLine("boot.extraModulePackages = [ config.boot.kernelPackages.v4l2loopback ];"),
        CommandLine('boot.kernelModules = [ "v4l2loopback" ];'),
        CommandLine(f"boot.extraModprobeConfig = ''options v4l2loopback {options}'';"),
        t("Then:"),
        CommandLine("sudo nixos-rebuild switch"),
    )


def install_package(system: System, names: Mapping[Distribution, str]) -> Steps:
    """Return the steps that install the package, whose name differs by distribution."""
    distribution = detect(system)
    name = names.get(distribution)
    if name is None or not distribution.install:
        return (t("Install one of these packages: {packages}.", packages=sorted(set(names.values()))),)
    return (CommandLine(f"{distribution.install} {name}"),)
