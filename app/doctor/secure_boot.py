"""Does the firmware let the kernel load the module?"""

from __future__ import annotations

from app.doctor import distribution as dist
from app.doctor.finding import Finding, State
from app.doctor.loopback import read_module
from app.doctor.system import System

_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def secure_boot(system: System) -> bool | None:
    """Whether the firmware loads signed code only; None where this machine does not say (no UEFI)."""
    try:
        value = system.path(_SECURE_BOOT).read_bytes()
    except OSError:
        return None
    return value[-1:] == b"\x01"  # four bytes of attributes, then the value


def check_secure_boot(system: System) -> list[Finding]:
    """Nothing where the machine has no Secure Boot; else whether it stands in the way of the module."""
    check = "virtual camera: Secure Boot"
    enabled = secure_boot(system)
    if enabled is None:
        return []
    if not enabled:
        return [Finding(check, State.OK, "Secure Boot is off: the kernel loads modules without a signature.")]
    if system.path("/sys/module/v4l2loopback").is_dir():
        return [Finding(check, State.OK, "Secure Boot is on, and the kernel accepted the module's signature.")]
    if not read_module(system).built:
        detail = "Secure Boot is on: the module will have to be signed with a key that this machine's firmware knows."
    else:
        signer = system.run(["modinfo", "-k", system.release, "-F", "signer", "v4l2loopback"])
        who = signer.output.strip() if signer.exit_code == 0 else ""
        detail = f"Secure Boot is on, and the module is {f'signed by “{who}”' if who else 'not signed'}."
    return [
        Finding(
            check,
            State.WARNING,
            detail,
            "With Secure Boot the kernel refuses modules whose key was not enrolled (“Key was rejected by service”).",
            "Enrol the key that signs it, restart, and confirm on the blue screen:\n"
            f"sudo mokutil --import {_key(system)}",
        )
    ]


def _key(system: System) -> str:
    """Where DKMS or akmods keep the public key that they sign with."""
    candidates = (
        "/var/lib/dkms/mok.pub",
        "/var/lib/shim-signed/mok/MOK.der",
        "/etc/pki/akmods/certs/public_key.der",
    )
    default = candidates[2] if dist.detect(system) is dist.Distribution.FEDORA else candidates[0]
    return next((name for name in candidates if system.path(name).exists()), default)
