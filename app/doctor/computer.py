"""Check the computer: space on the disk, display, precision of the processor, installed models."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from app.core.errors import MattecamError, Text, Value, t
from app.core.settings import EngineSettings
from app.doctor import distribution as dist
from app.doctor.finding import CommandLine, Finding, ok, problem, warning
from app.doctor.system import System
from app.matting.choice import hardware
from app.matting.choice.choice import choose
from app.matting.choice.trials import best, described, trials_of
from app.system.display import missing_x11_libraries
from app.system.isolation import not_isolated
from models.table import NETWORKS, bundled, recommended

_GIB = 1 << 30
_LOW_BYTES, _FULL_BYTES = 2 * _GIB, _GIB // 5


def check_disk(settings: Path, models: Path) -> Iterator[Finding]:
    """Yield one finding per folder."""
    yield _folder_finding("disk: settings", t("settings"), settings)
    yield _folder_finding("disk: models", t("models"), models)


def _folder_finding(check: str, contents: Text, folder: Path) -> Finding:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        detail = t("The folder for {contents}, {folder}, is not writable.", contents=contents, folder=folder)
        step = t("Make {folder} a folder that you have permission to write to.", folder=existing)
        return problem(check, detail, step, why=t("The program cannot store its files."))
    free_bytes, step = shutil.disk_usage(existing).free, t("Free some space on this disk.")
    detail = t("{gibibytes} GiB are free in {folder}.", gibibytes=f"{free_bytes / _GIB:.1f}", folder=folder)
    if free_bytes < _FULL_BYTES:
        return problem(check, detail, step, why=t("Writing files will fail."))
    if free_bytes < _LOW_BYTES:
        return warning(check, detail, step, why=t("Models and recordings need more space."))
    return ok(check, detail)


_EGL = {
    dist.DEBIAN: "libegl1",
    dist.FEDORA: "mesa-libEGL",
    dist.ARCH: "libglvnd",
    dist.SUSE: "libEGL1",
}


def check_display(system: System) -> Iterator[Finding]:
    """Yield findings about the display and the libraries that Qt loads for it."""
    if not system.platform.startswith("linux"):
        yield ok("display", t("The window opens on the desktop of this system."))
        return
    wayland, x11 = system.environment.get("WAYLAND_DISPLAY"), system.environment.get("DISPLAY")
    headless = CommandLine("python3 run.py headless")
    if not wayland and not x11:
        yield warning("display", t("There is no display: neither WAYLAND_DISPLAY nor DISPLAY is set."), headless)
        return
    lacks = [] if wayland else _x11_libraries(system)
    if not system.find_library("EGL"):
        lacks.append(_missing(system, ["EGL"], _EGL))
    if not lacks and (reason := system.window_problem()):
        detail = t("No window can open on {display}.", display=wayland or x11 or "")
        if isinstance(reason, Text) and isinstance(library := reason.values.get("library"), str):
            detail = t("The library {library} is missing.", library=library)
        yield warning("display", detail, headless)
    elif wayland:
        yield ok("display", t("The display is Wayland ({name}).", name=wayland))
    else:
        yield ok("display", t("The display is X11 ({name}).", name=x11 or ""))
    yield from lacks


def check_variables(system: System) -> Iterator[Finding]:
    """Yield a finding where variables of other programs could not be kept away (app/system/isolation.py)."""
    names = not_isolated(system.environment)
    if names:
        step = CommandLine(f"env {' '.join(f'-u {name}' for name in names)} python3 run.py")
        yield warning("variables", t("Variables of other programs reach this one: {variables}.", variables=names), step)


def _x11_libraries(system: System) -> list[Finding]:
    missing = missing_x11_libraries(system.find_library)
    if not missing:
        return []
    debian = " ".join(library.debian for library in missing)
    fedora = " ".join(dict.fromkeys(library.fedora for library in missing))
    packages = {dist.DEBIAN: debian, dist.SUSE: debian, dist.FEDORA: fedora, dist.ARCH: fedora}
    return [_missing(system, [library.name for library in missing], packages)]


def _missing(system: System, names: list[str], packages: Mapping[dist.Distribution, str]) -> Finding:
    libraries = tuple(f"lib{name}" for name in names)
    detail = t("The libraries {libraries} are missing.", libraries=libraries)
    if len(libraries) == 1:
        detail = t("The library {library} is missing.", library=libraries[0])
    return problem("display: libraries", detail, *dist.install_package(system, packages))


def check_processor() -> Iterator[Finding]:
    """Yield which model `auto` chooses on the processor, in which precision, and why; nothing if none can run."""
    try:
        choice = choose(EngineSettings(device="cpu"))
    except MattecamError:
        return
    trials = trials_of(choice.model, choice.weights)
    trial = best(trials)
    values: dict[str, Value] = {"processor": hardware.processor(), "model": choice.model}
    if trial is None:
        values |= {"precision": choice.precision}
        chosen = t("{processor}: the model {model} is chosen, in {precision}; nothing was measured yet.", **values)
    else:
        values |= {"precision": trial.words, "times": described(trials, trial)}
        chosen = t(
            "{processor}: the model {model} is chosen, in {precision}, which is the fastest here. Measured per frame: "
            "{times}.",
            **values,
        )
        if trial.holds_rate:
            chosen = t(
                "{processor}: the model {model} is chosen, in {precision}, which holds 30 fps with the least processor "
                "time. Measured per frame: {times}.",
                **values,
            )
    yield ok("processor", chosen)


_DOWNLOAD = CommandLine(f"python3 run.py weights download {recommended().name}")


def check_weights(installed: Collection[str]) -> Iterator[Finding]:
    """Yield one finding. installed: names of the models whose weights were found."""
    models, again = tuple(sorted(installed)), t("Reinstall the program, or download a model:")
    if not models:
        yield problem("models", t("No model is installed, not even the bundled one."), again, _DOWNLOAD)
    elif bundled().name not in models:
        detail = t("The bundled model is missing from this installation; installed are {models}.", models=models)
        yield warning("models", detail, again, _DOWNLOAD)
    elif all(NETWORKS[name].bundled for name in models):
        yield warning(
            "models",
            t("Only the small bundled model is installed."),
            _DOWNLOAD,
            why=t("The published models resolve finer edges, above all hair."),
        )
    else:
        yield ok("models", t("Installed models: {models}.", models=models))
