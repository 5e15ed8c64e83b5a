"""Detect the Linux distribution and give its commands for installing packages and kernel modules."""

from __future__ import annotations

import shlex
from enum import Enum

from app.core.text import t
from app.doctor.finding import CommandLine, Steps
from app.doctor.system import System


class Distribution(Enum):
    """Families of distributions with known commands."""

    DEBIAN = "Debian or Ubuntu"
    FEDORA = "Fedora"
    ARCH = "Arch Linux"
    SUSE = "openSUSE"
    NIXOS = "NixOS"
    OTHER = "this Linux"


_BY_ID = {
    "debian": Distribution.DEBIAN,
    "ubuntu": Distribution.DEBIAN,
    "fedora": Distribution.FEDORA,
    "rhel": Distribution.FEDORA,
    "arch": Distribution.ARCH,
    "suse": Distribution.SUSE,
    "opensuse": Distribution.SUSE,
    "nixos": Distribution.NIXOS,
}

INSTALL = {
    Distribution.DEBIAN: "sudo apt install",
    Distribution.FEDORA: "sudo dnf install",
    Distribution.ARCH: "sudo pacman -S --needed",
    Distribution.SUSE: "sudo zypper install",
}
"""Commands that install a package."""
MODULE_OPTIONS = 'devices=1 video_nr={number} card_label="Mattecam" exclusive_caps=1'
"""Options for loading v4l2loopback."""


def detect(system: System) -> Distribution:
    """Return the family that /etc/os-release names in ID or ID_LIKE."""
    fields = {}
    for line in system.read("/etc/os-release").splitlines():
        name, _, value = line.partition("=")
        fields[name.strip()] = _unquote(value)
    for word in [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]:
        known = _BY_ID.get(word.lower()) or _BY_ID.get(word.lower().split("-")[0])
        if known:
            return known
    return Distribution.OTHER


def _unquote(value: str) -> str:
    try:
        return " ".join(shlex.split(value))
    except ValueError:  # an unclosed quotation mark
        return value.strip("'\" ")


def install_module(distribution: Distribution, release: str) -> Steps:
    """Return the steps that install v4l2loopback for the kernel `release`; on NixOS see below."""
    if distribution is Distribution.DEBIAN:
        return (CommandLine(f"sudo apt install v4l2loopback-dkms linux-headers-{release}"),)
    if distribution is Distribution.FEDORA:
        commands = ("sudo dnf install akmod-v4l2loopback", "sudo akmods --force")
        return (t("With RPM Fusion (free) enabled:"), *map(CommandLine, commands))
    if distribution is Distribution.ARCH:
        return (CommandLine(f"sudo pacman -S --needed v4l2loopback-dkms {arch_headers(release)}"),)
    if distribution is Distribution.SUSE:
        return (CommandLine("sudo zypper install v4l2loopback-kmp-default"),)
    return (t("Install the package v4l2loopback (often v4l2loopback-dkms) and the headers of the running kernel."),)


def build_module(distribution: Distribution, release: str) -> Steps:
    """Return the steps that build an installed v4l2loopback for the kernel `release`."""
    dkms = CommandLine(f"sudo dkms autoinstall -k {release}")
    if distribution is Distribution.DEBIAN:
        return (CommandLine(f"sudo apt install linux-headers-{release}"), dkms)
    if distribution is Distribution.FEDORA:
        commands = (f"sudo dnf install kernel-devel-{release}", f"sudo akmods --force --kernels {release}")
        return tuple(map(CommandLine, commands))
    if distribution is Distribution.ARCH:
        return (CommandLine(f"sudo pacman -S --needed {arch_headers(release)}"), dkms)
    if distribution is Distribution.SUSE:
        return (CommandLine("sudo zypper update v4l2loopback-kmp-default kernel-default"),)
    return (t("Install the headers of the running kernel, then:"), dkms)


def arch_headers(release: str) -> str:
    """Return the headers package of an Arch kernel, whose release contains its flavour."""
    flavours = [name for name in ("lts", "zen", "hardened", "rt") if f"-{name}" in release]
    return f"linux-{flavours[0]}-headers" if flavours else "linux-headers"


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


def install_package(system: System, names: dict[Distribution, str]) -> Steps:
    """Return the steps that install the package, whose name differs by distribution."""
    distribution = detect(system)
    name = names.get(distribution)
    if name is None or distribution not in INSTALL:
        return (t("Install one of these packages: {packages}.", packages=sorted(set(names.values()))),)
    return (CommandLine(f"{INSTALL[distribution]} {name}"),)
