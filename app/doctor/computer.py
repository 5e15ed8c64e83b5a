"""Check the computer: space on the disk, display, precision of the processor, installed models."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from app.core.errors import MattecamError
from app.core.settings import EngineSettings
from app.core.text import Text, t
from app.doctor import distribution as dist
from app.doctor.finding import CommandLine, Finding, State, ok, problem, warning
from app.doctor.system import System
from app.matting.choice import hardware
from app.matting.choice.choice import choose
from app.matting.choice.trials import best, described, trials_of
from app.system.display import missing_x11_libraries
from app.system.isolation import not_isolated
from models.table import NETWORKS, bundled, recommended

_GIB = 1 << 30
_LOW_BYTES, _FULL_BYTES = 2 * _GIB, _GIB // 5


def check_disk(settings: Path, models: Path) -> tuple[Finding, ...]:
    """Return one finding per folder."""
    return (
        _folder_finding("disk: settings", t("settings"), settings),
        _folder_finding("disk: models", t("models"), models),
    )


def _folder_finding(check: str, contents: Text, folder: Path) -> Finding:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        detail = t("The folder for {contents}, {folder}, is not writable.", contents=contents, folder=folder)
        step = t("Make {folder} a folder that you have permission to write to.", folder=existing)
        return problem(check, detail, t("The program cannot store its files."), step)
    free_bytes = shutil.disk_usage(existing).free
    detail = t("{gibibytes} GiB are free in {folder}.", gibibytes=f"{free_bytes / _GIB:.1f}", folder=folder)
    if free_bytes < _FULL_BYTES:
        return problem(check, detail, t("Writing files will fail."), t("Free some space on this disk."))
    if free_bytes < _LOW_BYTES:
        return warning(check, detail, t("Models and recordings need more space."), t("Free some space on this disk."))
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
        return (ok("display", t("The window opens on the desktop of this system.")),)
    wayland, x11 = system.environment.get("WAYLAND_DISPLAY"), system.environment.get("DISPLAY")
    if wayland:
        findings = [ok("display", t("The display is Wayland ({name}).", name=wayland))]
    elif x11:
        findings = [ok("display", t("The display is X11 ({name}).", name=x11)), *_x11_libraries(system)]
    else:
        step = CommandLine("python3 run.py headless")
        return (
            warning(
                "display",
                t("There is no display: neither WAYLAND_DISPLAY nor DISPLAY is set."),
                t("The window cannot open; the program runs without a window."),
                step,
            ),
        )
    if not system.find_library("EGL"):
        findings.append(_missing(system, ["EGL"], _EGL))
    if len(findings) == 1 and (reason := system.window_problem()):
        detail = t("No window can open on {display}.", display=wayland or x11 or "")
        if isinstance(reason, Text) and isinstance(library := reason.values.get("library"), str):
            detail = t("The library {library} is missing.", library=library)
        step = CommandLine("python3 run.py headless")
        findings = [warning("display", detail, t("The window cannot open; the program runs without a window."), step)]
    return tuple(findings)


def check_variables(system: System) -> tuple[Finding, ...]:
    """Return a finding where variables of other programs could not be kept away (app/system/isolation.py)."""
    names = not_isolated(system.environment)
    if not names:
        return ()
    step = CommandLine(f"env {' '.join(f'-u {name}' for name in names)} python3 run.py")
    return (
        warning(
            "variables",
            t("Variables of other programs reach this one: {variables}.", variables=names),
            t("Libraries and packages that they name may take the place of the program's own and make it fail."),
            step,
        ),
    )


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
        detail = t("The library {library} is missing.", library=libraries[0])
    else:
        detail = t("The libraries {libraries} are missing.", libraries=libraries)
    steps = dist.install_package(system, packages)
    return problem("display: libraries", detail, t("Qt cannot open a window without them."), *steps)


def check_processor() -> tuple[Finding, ...]:
    """Return which model `auto` chooses on the processor, in which precision, and why; nothing if none can run."""
    try:
        choice = choose(EngineSettings(device="cpu"))
    except MattecamError:
        return ()
    trials, processor, model = trials_of(choice.model, choice.weights), hardware.processor(), choice.model
    trial = best(trials)
    if trial is None:
        return (
            ok(
                "processor",
                t(
                    "{processor}: the model {model} is chosen, in {precision}; nothing was measured yet.",
                    processor=processor,
                    model=model,
                    precision=choice.precision,
                ),
            ),
        )
    precision, times = trial.words, described(trials, trial)
    if trial.holds_rate:
        chosen = t(
            "{processor}: the model {model} is chosen, in {precision}, which holds 30 fps with the least processor "
            "time. Measured per frame: {times}.",
            processor=processor,
            model=model,
            precision=precision,
            times=times,
        )
    else:
        chosen = t(
            "{processor}: the model {model} is chosen, in {precision}, which is the fastest here. Measured per frame: "
            "{times}.",
            processor=processor,
            model=model,
            precision=precision,
            times=times,
        )
    return (ok("processor", chosen),)


_DOWNLOAD = CommandLine(f"python3 run.py weights download {recommended().name}")


def check_weights(installed: Collection[str]) -> tuple[Finding, ...]:
    """Return one finding. installed: names of the models whose weights were found."""
    models = sorted(installed)
    if bundled().name not in installed:
        state, detail = State.PROBLEM, t("No model is installed, not even the bundled one.")
        if models:
            state, detail = (
                State.WARNING,
                t("The bundled model is missing from this installation; installed are {models}.", models=tuple(models)),
            )
        return (
            Finding(
                "models",
                state,
                detail,
                t("Without a model the background cannot be replaced."),
                (t("Reinstall the program, or download a model:"), _DOWNLOAD),
            ),
        )
    if all(NETWORKS[name].bundled for name in installed):
        return (
            warning(
                "models",
                t("Only the small bundled model is installed."),
                t("The published models resolve finer edges, above all hair."),
                _DOWNLOAD,
            ),
        )
    return (ok("models", t("Installed models: {models}.", models=tuple(models))),)
