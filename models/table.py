"""Table of all networks. To add a network, add a folder with a spec and a row here."""

from __future__ import annotations

from models.bgmv2.spec import BGMV2_MOBILENETV2, BGMV2_RESNET50, BGMV2_RESNET101
from models.mattecam.spec import STUDENT, STUDENT_PLATE
from models.rvm.spec import RVM_MOBILENETV3, RVM_RESNET50
from models.spec import NetworkSpec
from models.u2net.spec import U2NET, U2NET_HUMAN_SEG, U2NETP

NETWORKS: dict[str, NetworkSpec] = {
    spec.name: spec
    for spec in (
        RVM_MOBILENETV3,
        RVM_RESNET50,
        BGMV2_MOBILENETV2,
        BGMV2_RESNET50,
        BGMV2_RESNET101,
        U2NET,
        U2NETP,
        U2NET_HUMAN_SEG,
        STUDENT,
        STUDENT_PLATE,
    )
}
"""All networks by name, in display order."""


def needs_plate(name: str) -> bool:
    """Return whether the network of this name needs an empty-background plate; False for `auto`."""
    return name in NETWORKS and NETWORKS[name].needs_plate


def bundled() -> NetworkSpec:
    """Return the network without a plate that ships with the program: always available, and the lightest."""
    return next(spec for spec in NETWORKS.values() if spec.bundled and not spec.needs_plate)


def auto_order(*, gpu: bool, plate: bool) -> list[NetworkSpec]:
    """Return the networks that `auto` tries, best first; those that need a plate only with `plate`."""
    ranked = [
        (rank, spec)
        for spec in NETWORKS.values()
        if (rank := spec.gpu_rank if gpu else spec.cpu_rank) is not None and (plate or not spec.needs_plate)
    ]
    return [spec for _, spec in sorted(ranked, key=lambda pair: pair[0])]


def recommended() -> NetworkSpec:
    """Return the network to download first: the best on a CPU that needs no plate."""
    return next(spec for spec in auto_order(gpu=False, plate=False) if not spec.bundled)
