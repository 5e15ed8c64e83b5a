"""Check the computer: space on the disk, display, precision of the processor, installed models."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from app.core.errors import MattecamError
from app.core.messages.doctor import DiskFinding, DisplayFinding, ModelFinding, VariablesFinding
from app.core.settings import EngineSettings
from app.doctor import distribution as dist
from app.doctor.finding import CommandLine, Finding, State, ok, problem, warning
from app.doctor.system import System
from app.matting.selection import hardware
from app.matting.selection.choice import choose
from app.matting.selection.measured import best, described, trials_of
from app.system.display import missing_x11_libraries
from app.system.isolation import not_isolated
from models.table import NETWORKS, bundled, recommended

_GIB = 1 << 30
_LOW_BYTES, _FULL_BYTES = 2 * _GIB, _GIB // 5


def check_disk(settings: Path, models: Path) -> tuple[Finding, ...]:
    """Return one finding per folder."""
    return (
        _folder_finding("disk: settings", DiskFinding.SETTINGS, settings),
        _folder_finding("disk: models", DiskFinding.MODELS, models),
    )


def _folder_finding(check: str, contents: DiskFinding, folder: Path) -> Finding:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        detail, step = DiskFinding.NOT_WRITABLE(contents=contents(), folder=folder), DiskFinding.FIX_NOT_WRITABLE
        return problem(check, detail, DiskFinding.WHY_NOT_WRITABLE(), step(folder=existing))
    free_bytes = shutil.disk_usage(existing).free
    detail = DiskFinding.FREE(gibibytes=f"{free_bytes / _GIB:.1f}", folder=folder)
    if free_bytes < _FULL_BYTES:
        return problem(check, detail, DiskFinding.WHY_FULL(), DiskFinding.FIX_FREE_SPACE())
    if free_bytes < _LOW_BYTES:
        return warning(check, detail, DiskFinding.WHY_LOW(), DiskFinding.FIX_FREE_SPACE())
    return ok(check, detail)


_EGL = {
    dist.Distribution.DEBIAN: "libegl1",
    dist.Distribution.FEDORA: "mesa-libEGL",
    dist.Distribution.ARCH: "libglvnd",
    dist.Distribution.SUSE: "libEGL1",
}


def check_display(system: System) -> tuple[Finding, ...]:
    """Return findings about the display and the libraries that Qt loads for it."""
    if not system.platform.startswith("linux"):
        return (ok("display", DisplayFinding.NATIVE()),)
    wayland, x11 = system.environment.get("WAYLAND_DISPLAY"), system.environment.get("DISPLAY")
    if wayland:
        findings = [ok("display", DisplayFinding.WAYLAND(name=wayland))]
    elif x11:
        findings = [ok("display", DisplayFinding.X11(name=x11)), *_x11_libraries(system)]
    else:
        step = CommandLine("python3 run.py headless")
        return (warning("display", DisplayFinding.NO_DISPLAY(), DisplayFinding.WHY_NO_DISPLAY(), step),)
    if not system.find_library("EGL"):
        findings.append(_missing(system, ["EGL"], _EGL))
    if len(findings) == 1 and (reason := system.window_problem()):
        detail = DisplayFinding.NOT_OPENED(display=wayland or x11 or "")
        if library := reason.values.get("library"):
            detail = DisplayFinding.LIBRARY_MISSING(library=library)
        step = CommandLine("python3 run.py headless")
        findings = [warning("display", detail, DisplayFinding.WHY_NO_DISPLAY(), step)]
    return tuple(findings)


def check_variables(system: System) -> tuple[Finding, ...]:
    """Return a finding where variables of other programs could not be kept away (app/system/isolation.py)."""
    names = not_isolated(system.environment)
    if not names:
        return ()
    step = CommandLine(f"env {' '.join(f'-u {name}' for name in names)} python3 run.py")
    return (warning("variables", VariablesFinding.SET(variables=names), VariablesFinding.WHY(), step),)


def _x11_libraries(system: System) -> list[Finding]:
    missing = missing_x11_libraries(system.find_library)
    if not missing:
        return []
    debian = " ".join(library.debian for library in missing)
    fedora = " ".join(dict.fromkeys(library.fedora for library in missing))
    packages = {
        dist.Distribution.DEBIAN: debian,
        dist.Distribution.SUSE: debian,
        dist.Distribution.FEDORA: fedora,
        dist.Distribution.ARCH: fedora,
    }
    return [_missing(system, [library.name for library in missing], packages)]


def _missing(system: System, names: list[str], packages: dict[dist.Distribution, str]) -> Finding:
    libraries = tuple(f"lib{name}" for name in names)
    if len(libraries) == 1:
        detail = DisplayFinding.LIBRARY_MISSING(library=libraries[0])
    else:
        detail = DisplayFinding.LIBRARIES_MISSING(libraries=libraries)
    steps = dist.install_package(system, packages)
    return problem("display: libraries", detail, DisplayFinding.WHY_LIBRARIES(), *steps)


def check_processor() -> tuple[Finding, ...]:
    """Return which model `auto` chooses on the processor, in which precision, and why; nothing if none can run."""
    try:
        choice = choose(EngineSettings(device="cpu"))
    except MattecamError:
        return ()
    trials, processor, model = trials_of(choice.model, choice.weights), hardware.processor(), choice.model
    trial = best(trials)
    if trial is None:
        return (ok("processor", ModelFinding.PRECISION(processor=processor, model=model, precision=choice.precision)),)
    chosen = ModelFinding.PRECISION_MEASURED if trial.holds_rate else ModelFinding.PRECISION_FASTEST
    times = described(trials, trial)
    return (ok("processor", chosen(processor=processor, model=model, precision=trial.words, times=times)),)


_DOWNLOAD = CommandLine(f"python3 run.py weights download {recommended().name}")


def check_weights(installed: Collection[str]) -> tuple[Finding, ...]:
    """Return one finding. installed: names of the models whose weights were found."""
    models = sorted(installed)
    if bundled().name not in installed:
        state, detail = State.PROBLEM, ModelFinding.NONE()
        if models:
            state, detail = State.WARNING, ModelFinding.BUNDLED_MISSING(models=tuple(models))
        return (Finding("models", state, detail, ModelFinding.WHY_NEEDED(), (ModelFinding.FIX_MISSING(), _DOWNLOAD)),)
    if all(NETWORKS[name].bundled for name in installed):
        return (warning("models", ModelFinding.ONLY_BUNDLED(), ModelFinding.WHY_MORE(), _DOWNLOAD),)
    return (ok("models", ModelFinding.INSTALLED(models=tuple(models))),)
