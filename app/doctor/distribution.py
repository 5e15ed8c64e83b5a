"""Which Linux this is, and how one installs and builds things on it."""

from __future__ import annotations

import shlex
from enum import Enum

from app.doctor.system import System


class Distribution(Enum):
    """The families that the advice knows."""

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

MODULE_OPTIONS = 'devices=1 video_nr={number} card_label="Mattecam" exclusive_caps=1'
"""How the module v4l2loopback is to be loaded."""


def detect(system: System) -> Distribution:
    """Read /etc/os-release: its ID first, then what it says it is like."""
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


def install_module(distribution: Distribution, release: str, number: int) -> str:
    """The commands that install v4l2loopback for the kernel `release`."""
    if distribution is Distribution.DEBIAN:
        return f"sudo apt install v4l2loopback-dkms linux-headers-{release}"
    if distribution is Distribution.FEDORA:
        return "With RPM Fusion (free) enabled:\nsudo dnf install akmod-v4l2loopback\nsudo akmods --force"
    if distribution is Distribution.ARCH:
        return f"sudo pacman -S --needed v4l2loopback-dkms {arch_headers(release)}"
    if distribution is Distribution.SUSE:
        return "sudo zypper install v4l2loopback-kmp-default"
    if distribution is Distribution.NIXOS:
        return nixos_configuration(number)
    return "Install the package v4l2loopback (often v4l2loopback-dkms) and the headers of the running kernel."


def build_module(distribution: Distribution, release: str, number: int) -> str:
    """The commands that build an installed v4l2loopback for the kernel `release`."""
    if distribution is Distribution.DEBIAN:
        return f"sudo apt install linux-headers-{release}\nsudo dkms autoinstall -k {release}"
    if distribution is Distribution.FEDORA:
        return f"sudo dnf install kernel-devel-{release}\nsudo akmods --force --kernels {release}"
    if distribution is Distribution.ARCH:
        return f"sudo pacman -S --needed {arch_headers(release)}\nsudo dkms autoinstall -k {release}"
    if distribution is Distribution.SUSE:
        return "sudo zypper update v4l2loopback-kmp-default kernel-default"
    if distribution is Distribution.NIXOS:
        return nixos_configuration(number)
    return f"Install the headers of the running kernel, then:\nsudo dkms autoinstall -k {release}"


def arch_headers(release: str) -> str:
    """The headers package of an Arch kernel, which names its flavour in its release."""
    flavours = [name for name in ("lts", "zen", "hardened", "rt") if f"-{name}" in release]
    return f"linux-{flavours[0]}-headers" if flavours else "linux-headers"


def nixos_configuration(number: int) -> str:
    """What to write into configuration.nix; NixOS keeps nothing that is written to /etc."""
    options = MODULE_OPTIONS.format(number=number)
    return (
        "In /etc/nixos/configuration.nix:\n"
        "boot.extraModulePackages = [ config.boot.kernelPackages.v4l2loopback ];\n"
        'boot.kernelModules = [ "v4l2loopback" ];\n'
        f"boot.extraModprobeConfig = ''options v4l2loopback {options}'';\n"
        "Then:\n"
        "sudo nixos-rebuild switch"
    )


def install_package(distribution: Distribution, names: dict[Distribution, str]) -> str:
    """The command that installs the package called `names[distribution]`."""
    name = names.get(distribution)
    commands = {
        Distribution.DEBIAN: "sudo apt install",
        Distribution.FEDORA: "sudo dnf install",
        Distribution.ARCH: "sudo pacman -S --needed",
        Distribution.SUSE: "sudo zypper install",
    }
    if name is None or distribution not in commands:
        return f"Install the package that provides {' or '.join(sorted(set(names.values())))}."
    return f"{commands[distribution]} {name}"
