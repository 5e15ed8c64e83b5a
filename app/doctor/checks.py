"""The checks of this machine, in the order in which a user should read their findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from app.core import paths
from app.core.errors import t
from app.doctor.camera import check_cameras
from app.doctor.computer import check_disk, check_display, check_processor, check_variables, check_weights
from app.doctor.finding import Finding, warning
from app.doctor.gpu import check_gpu, read_torch
from app.doctor.pipewire import check_pipewire, check_pipewire_proof
from app.doctor.proof import open_opencv, prove
from app.doctor.system import System
from app.doctor.virtual_camera import check_mac, check_virtual_camera, check_windows, choose_device, read_devices
from models.table import NETWORKS
from models.weights import on_hand


def _cameras(system: System) -> tuple[Finding, ...]:
    from app.capture.devices import list_cameras

    return check_cameras(system, list_cameras())


def _proof(system: System) -> Iterator[Finding]:
    """Send a test picture if there is a device that may be opened and that no program sends to."""
    from app.output.virtual_camera import VirtualCamera

    device = choose_device(read_devices(system))
    if device is None or not system.may_use(system.path(device.path)):
        return
    path = device.path
    if system.is_busy(path):
        detail = t("No test picture was sent to {device} because another program sends to it.", device=path)
        yield warning("virtual camera: proof", detail, t("Close that program and check again."))
        return
    yield prove(
        path,
        lambda width, height, fps: VirtualCamera(path, width, height, fps),
        lambda: open_opencv(path),
        readers=lambda: tuple(one.text for one in system.holders(path) if not one.only_writes),
    )


@dataclass(frozen=True, slots=True)
class Check:
    """One row: what looks at the machine, and where and when it does."""

    name: str
    """With which the names of its findings begin."""
    probe: Callable[[System], Iterable[Finding]]
    platform: str = ""
    """With which `sys.platform` begins where it applies."""
    sends: bool = False
    """Whether it sends a test picture, which takes a second."""


CHECKS = (
    Check("camera", _cameras),
    Check("virtual camera", check_windows, "win32"),
    Check("virtual camera", check_mac, "darwin"),
    Check("virtual camera", check_virtual_camera, "linux"),
    Check("virtual camera: proof", _proof, "linux", sends=True),
    Check("PipeWire camera", check_pipewire, "linux"),
    Check("PipeWire camera: proof", check_pipewire_proof, "linux", sends=True),
    Check("processor", lambda _: check_processor()),
    Check("graphics card", lambda system: [check_gpu(system, read_torch())]),
    Check("models", lambda _: check_weights([name for name in NETWORKS if on_hand(name) is not None])),
    Check("display", check_display),
    Check("variables", check_variables),
    Check("disk", lambda _: check_disk(settings=paths.config_dir(), models=paths.data_dir())),
)
"""`WHY` says why each matters; a finding has its sentence and what to do."""


def run_checks(system: System | None = None, *, proof: bool = True, only: str = "") -> tuple[Finding, ...]:
    """Check this machine. proof: also send test pictures. only: how the names of the checks to run begin."""
    system = system or System()
    return tuple(
        finding
        for check in CHECKS
        if check.name.startswith(only) and system.platform.startswith(check.platform) and (proof or not check.sends)
        for finding in check.probe(system)
    )
