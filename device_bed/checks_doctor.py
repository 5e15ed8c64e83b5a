"""The doctor on real devices: findings and proof."""

from __future__ import annotations

from functools import partial

from app.core.process import holders
from app.doctor.finding import Finding, State
from app.doctor.fix import fix
from app.doctor.proof import prove, read_opencv
from app.doctor.system import System
from app.doctor.virtual_camera import check_virtual_camera, find_device
from app.output.virtual_camera import VirtualCamera
from device_bed.tools import (
    DEVICE,
    FORK,
    OpenCvReader,
    become,
    ffmpeg_sends,
    load,
    say,
    sending,
    unload,
)


def _found(check: str) -> Finding:
    findings = {
        finding.check.removeprefix("virtual camera: "): finding
        for finding in check_virtual_camera(System())
    }
    return findings[check]


def _prove(device: str = DEVICE) -> Finding:
    def readers() -> tuple[str, ...]:
        # also this process
        return tuple(holder.text for holder in holders(device) if not holder.only_writes)

    return prove(
        device, partial(VirtualCamera, device), partial(read_opencv, device), readers=readers
    )


def test_doctor_not_loaded() -> None:
    """Check the finding for a module that is installed but not loaded."""
    unload("v4l2loopback")
    module = _found("module")
    assert module.state is State.PROBLEM and "not loaded" in module.detail, (
        "the unloaded module is not reported"
    )
    assert "modprobe v4l2loopback" in module.fix, "the doctor names no remedy"


def test_doctor_without_exclusive_caps() -> None:
    """Check the finding for a module loaded by `modprobe v4l2loopback` without options."""
    load(exclusive=False)
    caps = _found("seen by browsers")
    assert caps.state is State.PROBLEM and "exclusive_caps=1" in caps.fix, (
        "the missing option is not reported"
    )


def test_doctor_all_well() -> None:
    """Check a working device twice, because the proof must leave the device unchanged."""
    load()
    for check in ("module", "device", "seen by browsers", "permission", "in use"):
        assert _found(check).state is State.OK, _found(check)
    for _ in range(2):
        proof = _prove()
        say(proof.detail)
        assert proof.state is State.OK


def test_doctor_proof_beside_a_reader() -> None:
    """Check that a program that holds the camera at another size is named as the reason."""
    load()
    with sending("1280x720"):
        reader = OpenCvReader()
        reader.settled()
    finding = _prove()
    assert finding.state is not State.PROBLEM, (
        f"a camera that is being watched is called a problem: {finding}"
    )


def test_doctor_busy() -> None:
    """Check the finding for a device that another program sends to."""
    load()
    with ffmpeg_sends("-pix_fmt", "yuv420p"):
        finding = _found("in use")
        assert finding.state is State.WARNING and "ffmpeg" in finding.detail, (
            "the doctor does not name the sender"
        )
    assert _prove().state is State.OK, "the camera cannot be used after its sender was killed"
    assert _found("in use").state is State.OK, "the doctor reports a sender that has ended"


def test_doctor_no_permission() -> None:
    """Check the finding for a user outside the device's group."""
    load()
    with FORK.Pool(1) as pool:
        finding = pool.apply_async(_permission_of_nobody).get(60)
    assert finding.state is State.PROBLEM and finding.detail.startswith(
        "The user nobody has no permission"
    ), finding
    assert "usermod -aG video nobody" in finding.fix


def _permission_of_nobody() -> Finding:
    become("nobody")
    return _found("permission")


def test_doctor_fix() -> None:
    """Check `--fix` as root, without a module and with one that lacks exclusive_caps."""
    unload("v4l2loopback")
    for start in ("not loaded", "without exclusive_caps"):
        say(f"{start}: {fix(System(), lambda shown: True)}")
        device = find_device(System())
        assert device is not None and device.exclusive_caps and device.label == "Mattecam", (
            f"the repair left {device}"
        )
        assert _prove(device.path).state is State.OK, "the repaired camera does not work"
        load({10: "Mattecam"}, exclusive=False)
