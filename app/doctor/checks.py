"""Run all checks of this machine, in the order in which a user should read them."""

from __future__ import annotations

from app.core.files import paths
from app.core.text import t
from app.doctor.camera import check_cameras
from app.doctor.computer import check_disk, check_display, check_processor, check_variables, check_weights
from app.doctor.finding import Finding, warning
from app.doctor.gpu import check_gpu, read_torch
from app.doctor.loopback import choose_device, read_devices
from app.doctor.pipewire import check_pipewire, prove_pipewire
from app.doctor.proof import open_opencv, prove
from app.doctor.system import System
from app.doctor.virtual_camera import check_mac, check_virtual_camera, check_windows
from models.table import NETWORKS
from models.weights import on_hand


def run_checks(system: System | None = None, *, proof: bool = True) -> tuple[Finding, ...]:
    """Check this machine. proof: also send a test picture to an unused virtual camera (takes one second)."""
    from app.capture.devices import list_cameras

    system = system or System()
    findings = [*check_cameras(system, list_cameras())]
    if system.platform == "win32":
        findings += check_windows(system)
    elif system.platform == "darwin":
        findings += check_mac(system)
    else:
        findings += check_virtual_camera(system)
        findings += _proof(system) if proof else []
        findings += check_pipewire(system, prove_pipewire if proof else None)
    findings += check_processor()
    findings += check_gpu(system, read_torch())
    findings += check_weights([name for name in NETWORKS if on_hand(name) is not None])
    findings += check_display(system)
    findings += check_variables(system)
    findings += check_disk(settings=paths.config_dir(), models=paths.data_dir())
    return tuple(findings)


def _proof(system: System) -> list[Finding]:
    """Send a test picture if there is a device that may be opened and that no program sends to."""
    from app.output.virtual_camera import VirtualCamera

    device = choose_device(read_devices(system))
    if device is None or not system.may_use(system.path(device.path)):
        return []
    if system.is_busy(device.path):
        return [
            warning(
                "virtual camera: proof",
                t("No test picture was sent to {device} because another program sends to it.", device=device.path),
                None,
                t("Close that program and check again."),
            )
        ]
    path = device.path
    return [
        prove(
            path,
            lambda width, height, fps: VirtualCamera(path, width, height, fps),
            lambda: open_opencv(path),
            readers=lambda: tuple(one.text for one in system.holders(path) if not one.only_writes),
        )
    ]
