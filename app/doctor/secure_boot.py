"""Check whether Secure Boot prevents the kernel from loading the module."""

from __future__ import annotations

from app.core.messages.doctor_virtual_camera import SecureBootFinding
from app.core.text import Text
from app.doctor import distribution as dist
from app.doctor.finding import Command, Finding, State
from app.doctor.loopback import read_module
from app.doctor.system import System

_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def secure_boot(system: System) -> bool | None:
    """Return whether Secure Boot is on; None if the machine does not report it (no UEFI)."""
    try:
        value = system.path(_SECURE_BOOT).read_bytes()
    except OSError:
        return None
    return value[-1:] == b"\x01"  # four bytes of attributes, then the value


def check_secure_boot(system: System) -> list[Finding]:
    """Return a finding if the machine has Secure Boot."""
    check = "virtual camera: Secure Boot"
    enabled = secure_boot(system)
    if enabled is None:
        return []
    if not enabled:
        return [Finding(check, State.OK, SecureBootFinding.OFF())]
    if system.path("/sys/module/v4l2loopback").is_dir():
        return [Finding(check, State.OK, SecureBootFinding.ACCEPTED())]
    steps = (SecureBootFinding.FIX(), Command(f"sudo mokutil --import {_key(system)}"))
    return [Finding(check, State.WARNING, _signature(system), SecureBootFinding.WHY(), steps)]


def _signature(system: System) -> Text:
    if not read_module(system).built:
        return SecureBootFinding.NOT_BUILT()
    answer = system.run(["modinfo", "-k", system.release, "-F", "signer", "v4l2loopback"])
    signer = answer.output.strip() if answer.exit_code == 0 else ""
    return SecureBootFinding.SIGNED(signer=signer) if signer else SecureBootFinding.UNSIGNED()


def _key(system: System) -> str:
    """Return the path of the public key that DKMS or akmods sign with."""
    candidates = (
        "/var/lib/dkms/mok.pub",
        "/var/lib/shim-signed/mok/MOK.der",
        "/etc/pki/akmods/certs/public_key.der",
    )
    default = candidates[2] if dist.detect(system) is dist.Distribution.FEDORA else candidates[0]
    return next((name for name in candidates if system.path(name).exists()), default)
