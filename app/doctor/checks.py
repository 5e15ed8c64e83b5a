"""The checks of this computer, in the order in which a user should read their findings.

Here are those of disk, display, processor, models and graphics card; those of cameras have modules
of their own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.core import paths
from app.core.errors import MattecamError, Text, Value, t
from app.core.files import exists, is_folder, why_not_read
from app.core.paths import program_command
from app.core.settings import EngineSettings
from app.core.targets import INTEL
from app.doctor.camera import check_cameras
from app.doctor.display import missing_x11_libraries
from app.doctor.finding import CommandLine, Finding, Steps, install_package, ok, problem, warning
from app.doctor.proof import prove, prove_pipewire, read_opencv
from app.doctor.system import System
from app.doctor.virtual_camera import (
    check_elsewhere,
    check_pipewire,
    check_virtual_camera,
    find_device,
)
from app.matting.choice import hardware
from app.matting.choice.choice import candidates, choose
from app.matting.choice.trials import AFFORDABLE_SHARE, best, described, trials_of
from app.output.camera_list import list_virtual_cameras
from app.system import environment
from app.system.isolation import not_isolated
from models.table import NETWORKS, bundled, recommended
from models.weights import on_hand

_GIB = 1 << 30
_LOW_BYTES = 2 * _GIB
_FULL_BYTES = _GIB // 5


def check_disk(folder: Path) -> Iterator[Finding]:
    """Yield one finding about the folder of models."""
    existing = next(parent for parent in (folder, *folder.parents) if exists(parent))
    if not is_folder(existing) or not os.access(existing, os.W_OK | os.X_OK):
        step = t("Make {folder} a folder that you have permission to write to.", folder=existing)
        yield problem(t("disk"), t("The folder {folder} is not writable.", folder=folder), step)
        return
    free_bytes = shutil.disk_usage(existing).free
    step = t("Free some space on this disk.")
    detail = t(
        "{gibibytes} GiB are free in {folder}.",
        gibibytes=f"{free_bytes / _GIB:.1f}",
        folder=folder,
    )
    if free_bytes < _FULL_BYTES:
        yield problem(t("disk"), detail, step)
    elif free_bytes < _LOW_BYTES:
        yield warning(t("disk"), detail, step, why=t("Models and recordings need more space."))
    else:
        yield ok(t("disk"), detail)


def check_display(system: System) -> Iterator[Finding]:
    """Yield findings about the display and the libraries that Qt loads for it."""
    if not system.platform.startswith("linux"):
        yield ok(t("display"), t("The window opens on the desktop of this system."))
        return
    wayland = system.environment.get("WAYLAND_DISPLAY")
    x11 = system.environment.get("DISPLAY")
    headless = CommandLine(f"{program_command()} headless")
    if not wayland and not x11:
        detail = t("There is no display: neither WAYLAND_DISPLAY nor DISPLAY is set.")
        yield warning(t("display"), detail, headless)
        return
    lacks = []
    missing, debian, fedora = missing_x11_libraries(system.find_library)
    if missing and not wayland:
        steps = install_package(system, debian=debian, suse=debian, every=fedora)
        lacks.append(_missing(missing, steps))
    if not system.find_library("EGL"):
        steps = install_package(
            system,
            debian="libegl1",
            fedora="mesa-libEGL",
            arch="libglvnd",
            suse="libEGL1",
        )
        lacks.append(_missing(["EGL"], steps))
    # Asked only where no library is known to lack: it starts a program, which takes a moment.
    reason = None if lacks else system.window_problem()
    if reason:
        detail = t("No window can open on {display}.", display=wayland or x11 or "")
        library = reason.values.get("library") if isinstance(reason, Text) else None
        if isinstance(library, str):
            detail = t("These libraries are missing: {libraries}.", libraries=(library,))
        yield warning(t("display"), detail, headless)
    elif wayland:
        yield ok(t("display"), t("The display is Wayland ({name}).", name=wayland))
    else:
        yield ok(t("display"), t("The display is X11 ({name}).", name=x11 or ""))
    yield from lacks


def check_variables(system: System) -> Iterator[Finding]:
    """Yield a finding where variables of other programs could not be kept away
    (app/system/isolation.py).
    """
    names = not_isolated(system.environment)
    if names:
        unset = " ".join(f"-u {name}" for name in names)
        step = CommandLine(f"env {unset} {program_command()}")
        detail = t("Variables of other programs reach this one: {variables}.", variables=names)
        yield warning(t("variables"), detail, step)


def _missing(names: list[str], steps: Steps) -> Finding:
    detail = t(
        "These libraries are missing: {libraries}.",
        libraries=tuple(f"lib{name}" for name in names),
    )
    return problem(t("display: libraries"), detail, *steps)


def check_processor() -> Iterator[Finding]:
    """Yield which model `auto` chooses on the processor, in which precision, and why.

    Nothing if none can run.
    """
    try:
        choice = choose(EngineSettings(device="cpu"), live=True)
    except MattecamError:
        return
    trials = trials_of(choice.model, choice.weights)
    trial = best(trials)
    values: dict[str, Value] = {"processor": hardware.processor(), "model": choice.model}
    if trial is None:
        text = t(
            "{processor}: the model {model} is chosen, in {precision}; nothing was measured yet.",
            precision=choice.target.precision,
            **values,
        )
        yield ok(t("processor"), text)
        return
    values |= {"precision": trial.words, "times": described(trials)}
    text = t(
        "{processor}: the model {model} is chosen, in {precision}, which is the fastest here. "
        "Measured per frame: {times}.",
        **values,
    )
    if trial.holds_rate:
        text = t(
            "{processor}: the model {model} is chosen, in {precision}, which holds 30 fps with the "
            "least processor time. Measured per frame: {times}.",
            **values,
        )
    yield ok(t("processor"), text)
    yield from _why_no_finer_model(choice.model)


def _why_no_finer_model(chosen: str) -> Iterator[Finding]:
    """Yield why `auto` does not take the installed finer model in a call."""
    fine = recommended().name
    weights = on_hand(fine)
    if chosen == fine or weights is None:
        return
    trial = best(candidates(EngineSettings(), fine, weights))
    if trial is None:
        return
    text = t(
        "The finer model {model} takes {share} % of the time of all cores at 30 fps ({step} ms for "
        "a frame); auto takes it in a call up to {most} %. Films use it.",
        model=fine,
        share=f"{100 * trial.share_of_cores:.0f}",
        step=f"{trial.step_ms:.1f}",
        most=f"{100 * AFFORDABLE_SHARE:.0f}",
    )
    yield ok(t("finer model"), text)


def check_weights(installed: Collection[str]) -> Iterator[Finding]:
    """Yield one finding. installed: names of the models whose weights were found."""
    models = tuple(sorted(installed))
    again = t("Reinstall the program, or download a model:")
    download = CommandLine(f"{program_command()} weights download {recommended().name}")
    if not models:
        detail = t("No model is installed, not even the bundled one.")
        yield problem(t("models"), detail, again, download)
    elif bundled().name not in models:
        detail = t(
            "The bundled model is missing from this installation; installed are {models}.",
            models=models,
        )
        yield warning(t("models"), detail, again, download)
    elif all(NETWORKS[name].bundled for name in models):
        yield warning(
            t("models"),
            t("Only the small bundled model is installed."),
            download,
            why=t("The published models resolve finer edges, above all hair."),
        )
    else:
        yield ok(t("models"), t("Installed models: {models}.", models=models))


_GPU = t("graphics card")
_NVIDIA = "0x10de"
_INTEL = "0x8086"


@dataclass(frozen=True, slots=True)
class TorchFacts:
    """What the installed torch was built for, and the devices that it finds."""

    # Empty if it is installed, but cannot be loaded.
    version: str = ""
    # The CUDA version of the build; None for a build without CUDA.
    cuda: str | None = None
    # Names of the graphics cards, if one can be used.
    cards: tuple[str, ...] = ()
    # There are cards, and torch can use none of them.
    unsupported: bool = False


def read_torch() -> TorchFacts | None:
    """Return the facts of the installed torch; None without torch."""
    if not hardware.torch_usable():
        return None
    torch = hardware.load_torch()
    if torch is None:
        return TorchFacts()
    is_usable = hardware.cuda_cards().first() is not None
    unsupported = torch.cuda.is_available() and not is_usable
    cards: tuple[str, ...] = ()
    if is_usable:
        cards = tuple(name for _, name in hardware.cuda_cards().named())
    if hardware.apple_gpu_usable():
        cards = (t("the graphics processor of this Mac"),)
    return TorchFacts(torch.__version__, torch.version.cuda, cards, unsupported)


def check_gpu(system: System, torch: TorchFacts | None) -> Finding:
    """Return the card in use, or why torch cannot use one."""
    nvidia = environment.read_nvidia(
        system.run(environment.SMI_QUERY) or "",
        system.read(environment.NVIDIA_MARK),
    )
    if torch is None:
        detail = t("PyTorch is not installed; the networks run on the CPU.")
        if nvidia or _has_card(system, _NVIDIA):
            return warning(
                _GPU,
                detail,
                t("Run Mattecam from its sources to use the graphics card."),
            )
        return ok(_GPU, detail)
    if not torch.version:
        detail = t("PyTorch is installed, but cannot be loaded; the networks run on the CPU.")
        step = t("Install PyTorch again. On Windows it also needs the Visual C++ Redistributable.")
        return warning(_GPU, detail, step)
    known: dict[str, Value] = {"version": torch.version, "cuda": torch.cuda or ""}
    if torch.cards:
        return ok(_GPU, t("torch {version} runs on {cards}.", cards=torch.cards, **known))
    if nvidia is None and _has_card(system, _NVIDIA):
        detail = t("An NVIDIA graphics card is present, but its driver is not loaded.")
        step = t("Install the NVIDIA driver of this system, restart, and check with:")
        return warning(_GPU, detail, step, CommandLine("nvidia-smi"))
    if nvidia is None and not torch.unsupported:
        return ok(
            _GPU,
            t("torch {version} found no supported graphics card; the CPU is used.", **known),
        )
    known["driver"] = nvidia.driver if nvidia else "?"
    cuda_version = int((torch.cuda or "0").partition(".")[0])
    needed = environment.OLDEST_DRIVER.get(cuda_version, 0)
    if torch.unsupported or torch.cuda is None or nvidia is None or nvidia.branch < needed:
        detail = t(
            "torch {version} cannot use the graphics card with the NVIDIA driver {driver}; the CPU "
            "is used.",
            **known,
        )
        return warning(_GPU, detail, *_steps_to_build(system, nvidia))
    step = t(
        "Restart after a driver update. In a container, pass the card through (docker run --gpus "
        "all …). CUDA_VISIBLE_DEVICES must not be empty."
    )
    detail = t(
        "The NVIDIA driver {driver} supports torch {version} (CUDA {cuda}), but torch finds no "
        "card.",
        **known,
    )
    return warning(_GPU, detail, step)


def check_intel(system: System) -> Iterator[Finding]:
    """Yield what was measured on the GPU of Intel, and why it is not used.

    Nothing where there is none.
    """
    name = t("Intel graphics")
    weights = on_hand(bundled().name)
    if not _has_card(system, _INTEL) or weights is None:
        return
    listed = system.names("/etc/OpenCL/vendors")
    drivers = tuple(file for file in listed if hardware.is_intel_driver(file))
    if not drivers:
        steps = install_package(
            system,
            debian="intel-opencl-icd",
            fedora="intel-compute-runtime",
            arch="intel-compute-runtime",
            suse="intel-opencl",
        )
        detail = t("The GPU of Intel has no OpenCL driver; the networks run on the CPU.")
        old = t(
            "That of Debian 12 is too old for processors since 2023; Debian 13 has a newer one."
        )
        yield warning(name, detail, *steps, old, why=t("The GPU takes work from the processor."))
        return
    trials = trials_of(bundled().name, weights, INTEL)
    if not trials:
        text = t("The GPU of Intel was not measured yet; Mattecam measures it beside the picture.")
    elif any(trial.accurate for trial in trials):
        text = t(
            "With the driver {drivers}, auto takes the least processor time that holds 30 fps. "
            "Measured per frame: {times}.",
            drivers=drivers,
            times=described([*trials_of(bundled().name, weights), *trials]),
        )
    else:
        text = t(
            "The driver {drivers} failed with the GPU of Intel ({problem}); the networks run on "
            "the CPU.",
            drivers=drivers,
            problem=trials[0].why_not,
        )
    yield ok(name, text)


def _has_card(system: System, vendor: str) -> bool:
    folder = "/sys/bus/pci/devices"
    for name in system.names(folder):
        is_display_controller = system.read(f"{folder}/{name}/class").startswith("0x03")
        if is_display_controller and system.read(f"{folder}/{name}/vendor") == vendor:
            return True
    return False


def _steps_to_build(system: System, nvidia: environment.Nvidia | None) -> Iterator[Text]:
    """Yield how to get a build of torch that runs on this driver and these cards."""
    newest = max(environment.OLDEST_DRIVER.values())
    if nvidia is not None and nvidia.branch < newest:
        yield t(
            "Best, install the NVIDIA driver {driver} or newer and restart, if the card supports "
            "it.",
            driver=newest,
        )
    builds = environment.suitable_builds(system.platform, system.machine, nvidia)
    if not builds[0].cuda:
        yield t("No build of PyTorch with CUDA suits this driver and graphics card.")
    elif environment.inside():
        yield t(
            "Delete {folder} and run `{program}` again: the setup then installs the build for CUDA "
            "{cuda}.",
            folder=environment.VENV,
            program=program_command(),
            cuda=builds[0].cuda,
        )
    else:
        index = "PyPI"
        if builds[0].index:
            index = f"{environment.PYTORCH_INDEX}/{builds[0].index}"
        yield t("Install torch from {index}.", index=index)


def _cameras(system: System) -> tuple[Finding, ...]:
    from app.capture.devices import list_cameras

    return check_cameras(system, list_cameras())


def _virtual_cameras(system: System) -> Iterable[Finding]:
    if system.platform.startswith("linux"):
        return check_virtual_camera(system)
    return check_elsewhere([one.id for one in list_virtual_cameras()])


def _proof(system: System) -> Iterator[Finding]:
    """Send a test picture if there is a device that may be opened and that no program sends to."""
    from app.output.virtual_camera import VirtualCamera

    device = find_device(system)
    if device is None or not system.may_use(system.path(device.path)):
        return
    path = device.path
    if system.is_busy(path):
        detail = t(
            "No test picture was sent to {device} because another program sends to it.",
            device=path,
        )
        step = t("Close that program and check again.")
        yield warning(t("virtual camera: test picture"), detail, step)
        return

    def readers() -> tuple[str, ...]:
        holders = [holder for holder in system.holders(path) if not holder.only_writes]
        return tuple(holder.text for holder in holders)

    yield prove(path, partial(VirtualCamera, path), partial(read_opencv, path), readers=readers)


def _pipewire_proof(system: System) -> Iterator[Finding]:
    if system.find_library("pipewire-0.3") is not None and system.pipewire_answers():
        yield prove_pipewire()


@dataclass(frozen=True, slots=True)
class Check:
    """One row: what looks at the machine, and where and when it does."""

    # With which the names of its findings begin.
    name: Text
    probe: Callable[[System], Iterable[Finding]]
    # With which `sys.platform` begins where it applies.
    platform: str = ""
    # Whether it sends a test picture, which takes a second.
    sends: bool = False


def _installed_models() -> list[str]:
    return [name for name in NETWORKS if on_hand(name) is not None]


# `WHY` says why each matters; a finding has its sentence and what to do.
CHECKS = (
    Check(t("camera"), _cameras),
    Check(t("virtual camera"), _virtual_cameras),
    Check(t("virtual camera: test picture"), _proof, "linux", sends=True),
    Check(t("PipeWire camera"), check_pipewire, "linux"),
    Check(t("PipeWire camera: test picture"), _pipewire_proof, "linux", sends=True),
    Check(t("processor"), lambda _: check_processor()),
    Check(t("graphics card"), lambda system: [check_gpu(system, read_torch())]),
    Check(t("Intel graphics"), check_intel, "linux"),
    Check(t("models"), lambda _: check_weights(_installed_models())),
    Check(t("display"), check_display),
    Check(t("variables"), check_variables),
    Check(t("disk"), lambda _: check_disk(paths.data_dir())),
)


def run_checks(
    system: System | None = None,
    *,
    proof: bool = True,
    only: str = "",
) -> tuple[Finding, ...]:
    """Check this machine.

    proof: also send test pictures.
    only: how the names of the checks to run begin.
    """
    system = system or System()
    findings: list[Finding] = []
    for check in CHECKS:
        if not check.name.startswith(only) or not system.platform.startswith(check.platform):
            continue
        if proof or not check.sends:
            findings += _findings_of(check, system)
    return tuple(findings)


def _findings_of(check: Check, system: System) -> list[Finding]:
    """Return what a check finds; a file that cannot be read ends this check alone."""
    findings = []
    try:
        for finding in check.probe(system):
            findings.append(finding)  # noqa: PERF402 - those before an error are kept
    except OSError as error:
        file = str(error.filename or check.name)
        detail = t("{file} cannot be read: {reason}.", file=file, reason=why_not_read(error))
        step = t("Make it readable for you, and check again.")
        why = t("The rest of this check is left out.")
        findings.append(warning(check.name, detail, step, why=why))
    return findings
