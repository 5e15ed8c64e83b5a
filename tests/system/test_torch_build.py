"""The build of PyTorch per system, NVIDIA driver and card."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from app.system import torch_build
from app.system.environment import ALSO
from app.system.torch_build import Capability, Nvidia, TorchBuild, find_nvidia, is_locked, locked_pythons
from app.system.torch_build import suitable_builds as builds_for
from tests.paths import ROOT

LOCKS = ROOT / "requirements"
NO_DRIVER = None
OLDER = "torch29-cu126"
PASCAL, VOLTA, TURING, ADA, HOPPER, BLACKWELL = (6, 1), (7, 0), (7, 5), (8, 9), (9, 0), (12, 0)


def driver(version: str, *cards: Capability) -> Nvidia:
    return Nvidia(version, cards)


@pytest.mark.parametrize(
    ("platform", "machine", "nvidia", "locks"),
    [
        ("linux", "x86_64", NO_DRIVER, ["torch-cpu"]),
        ("linux", "x86_64", driver("580.65.06", ADA), ["torch", "torch-cu126", OLDER, "torch-cpu"]),
        ("linux", "x86_64", driver("590.10", BLACKWELL), ["torch", "torch-cpu"]),
        ("linux", "x86_64", driver("590.10"), ["torch", "torch-cu126", OLDER, "torch-cpu"]),
        ("linux", "x86_64", driver("570.86", HOPPER), ["torch-cu126", OLDER, "torch-cpu"]),
        ("linux", "x86_64", driver("570.86", BLACKWELL), ["torch-cpu"]),
        ("linux", "x86_64", driver("580.65.06", PASCAL), ["torch-cu126", OLDER, "torch-cpu"]),
        ("linux", "x86_64", driver("580.65.06", VOLTA), ["torch-cu126", OLDER, "torch-cpu"]),
        ("linux", "x86_64", driver("580.65.06", PASCAL, TURING), ["torch", "torch-cu126", OLDER, "torch-cpu"]),
        ("linux", "x86_64", driver("580.65.06", (3, 5)), ["torch-cpu"]),
        ("linux", "x86_64", driver("525.60.13", TURING), ["torch-cu126", OLDER, "torch-cpu"]),
        ("linux", "x86_64", driver("470.256.02", TURING), ["torch-cpu"]),
        ("linux", "aarch64", driver("580.65.06", HOPPER), ["torch", "torch-cpu"]),
        ("linux", "aarch64", driver("570.86", HOPPER), ["torch-cpu"]),
        ("win32", "AMD64", NO_DRIVER, ["torch"]),
        ("win32", "AMD64", driver("581.15", ADA), ["torch-cu130", "torch-cu126", "torch"]),
        ("win32", "AMD64", driver("560.94", ADA), ["torch-cu126", "torch"]),
        ("win32", "AMD64", driver("581.15", PASCAL), ["torch-cu126", "torch"]),
        ("win32", "AMD64", driver("472.12", PASCAL), ["torch"]),
        ("win32", "ARM64", driver("581.15", ADA), ["torch"]),
        ("darwin", "arm64", NO_DRIVER, ["torch"]),
    ],
)
def test_the_builds_that_suit_a_machine(platform: str, machine: str, nvidia: Nvidia | None, locks: list[str]) -> None:
    assert [build.lock for build in builds_for(platform, machine, nvidia)] == locks


def test_only_pypis_build_for_linux_and_cuda_12_need_further_libraries() -> None:
    on_linux = builds_for("linux", "x86_64", driver("580.65.06", ADA))
    assert [build.libraries for build in on_linux] == ["cuda", "cuda-cu126", "cuda29-cu126", ""]
    on_windows = builds_for("win32", "AMD64", driver("581.15", ADA))
    assert [build.libraries for build in on_windows] == ["", "", ""]
    assert [build.index for build in on_windows] == ["cu130", "cu126", ""]


@pytest.mark.parametrize(
    ("smi", "mark", "expected"),
    [
        ("580.65.06, 8.9\n580.65.06, 6.1\n", "", Nvidia("580.65.06", (ADA, PASCAL))),
        ("581.15, [N/A]\n", "", Nvidia("581.15")),
        ("", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22\nGCC 12.2.0", Nvidia("550.54.14")),
        ("", "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release", Nvidia("580.65.06")),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", "", None),
        ("", "", None),
    ],
)
def test_driver_and_cards_are_found(
    tmp_path: Path, smi: str, mark: str, expected: Nvidia | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = tmp_path / "version"
    monkeypatch.setattr(torch_build, "NVIDIA_MARK", str(version))
    if mark:
        version.write_text(mark)
    query = (sys.executable, "-c", f"print({smi!r})") if smi else ("no-such-program-of-nvidia",)
    monkeypatch.setattr(torch_build, "SMI_QUERY", query)
    assert find_nvidia() == expected


def test_every_lock_file_of_a_build_exists_with_hashes_for_one_version() -> None:
    nvidia = driver("580.65.06", ADA)
    found: list[TorchBuild] = []
    for place in (("linux", "x86_64"), ("win32", "AMD64"), ("darwin", "arm64")):
        found += builds_for(*place, nvidia)
    for name in {name for build in found for name in (build.lock, build.libraries) if name}:
        text = (LOCKS / f"{name}.lock").read_text()
        assert len(re.findall(r"^\w", text, re.MULTILINE)) <= len(re.findall("--hash=sha256:", text)), name
    texts = {build.lock: (LOCKS / f"{build.lock}.lock").read_text() for build in found}
    versions = {name: set(re.findall(r"torch==([\d.]+)", text)) for name, text in texts.items()}
    assert versions.pop(OLDER) == {ALSO["torch"]}
    assert len(set.union(*versions.values())) == 1


def test_the_entries_of_a_build_say_for_which_python_they_are(tmp_path: Path) -> None:
    build = builds_for("win32", "AMD64", driver("581.15", PASCAL))[0]
    assert "3.12" in locked_pythons(build, LOCKS, "win32", "AMD64")
    assert is_locked(build, LOCKS, "3.12", "win32", "AMD64")
    assert not is_locked(build, LOCKS, "3.9", "win32", "AMD64")
    assert not is_locked(build, LOCKS, "3.12", "win32", "ARM64")
    (tmp_path / "torch-cu126.lock").write_text(
        "torch==1+cu126 ; python_version == '3.13' and sys_platform == 'linux' and platform_machine == 'x86_64' \\\n"
        f"    --hash=sha256:{'0' * 64}\n"
    )
    assert is_locked(build, tmp_path, "3.13", "linux", "x86_64")
    assert not is_locked(build, tmp_path, "3.13", "win32", "AMD64")


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize(
    ("place", "nvidia", "cuda"),
    [
        (("linux", "x86_64"), driver("580.65.06", ADA), "13.0"),
        (("linux", "x86_64"), driver("550.54.14", ADA), "12.6"),
        (("linux", "x86_64"), driver("580.65.06", PASCAL), "12.6"),
        (("win32", "AMD64"), driver("581.15", ADA), "13.0"),
        (("win32", "AMD64"), driver("560.94", ADA), "12.6"),
        (("win32", "AMD64"), driver("581.15", PASCAL), "12.6"),
    ],
)
def test_every_python_gets_the_best_build_for_its_card(
    python: str, place: tuple[str, str], nvidia: Nvidia, cuda: str
) -> None:
    locked = [build for build in builds_for(*place, nvidia) if is_locked(build, LOCKS, python, *place)]
    assert locked[0].cuda == cuda
