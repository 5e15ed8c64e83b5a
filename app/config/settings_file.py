"""The settings file: versioned JSON. That of version 0.3 is read; an invalid file is kept as `.bad`."""

from __future__ import annotations

import logging
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.config.setting import file_problem
from app.core import paths
from app.core.errors import Text, t
from app.core.files import BrokenFileError, JsonObject, free_name, read_object, why_not_read, write_object
from app.core.settings import SETTINGS_VERSION, Settings

log = logging.getLogger(__name__)


def default_path() -> Path:
    """Return the settings file that is used unless the command line names another."""
    return paths.config_dir() / "settings.json"


def parse(data: JsonObject) -> Settings:
    """Convert JSON data of a known version to settings. Raises BrokenFileError with the reason."""
    version = data.get("version", SETTINGS_VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 2:
        raise BrokenFileError(t("“{version}” is not a version", version=str(version)))
    if version > SETTINGS_VERSION:
        raise BrokenFileError(t("a newer version of Mattecam wrote it (format version {version})", version=version))
    data = {**data, "version": SETTINGS_VERSION}
    if version == 2 and isinstance(background := data.get("background", {}), dict):
        data["background"] = {**background, "blur_strength": 100}  # it was relative to the level of strict mode
    try:
        return _without_unknown(data)
    except ValidationError as error:
        raise BrokenFileError(file_problem(error)) from error


def _without_unknown(data: JsonObject) -> Settings:
    """Return the settings in `data`, without what this version does not know: names, choices and keep zones.

    Their defaults show no more of the room. Raises ValidationError.
    """
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        unknown = [place for place in map(_unknown_at, error.errors()) if place is not None]
        if not unknown:
            raise
    known = deepcopy(data)
    for *path, name in reversed(unknown):  # the last of a list first
        part: Any = known
        for step in path:
            part = part[step]
        del part[name]
    settings = Settings.model_validate(known)
    _log_unknown(", ".join(".".join(map(str, place)) for place in unknown))
    return settings


def _unknown_at(error: ErrorDetails) -> tuple[int | str, ...] | None:
    """Return the place of a name, choice or keep zone that only another version knows; None for any other error."""
    place = error["loc"]
    if any(isinstance(part, int) for part in place):  # in a list: no other part of a zone may be left out
        return place[:-1] if place[-1] == "kind" and error["input"] == "keep" else None
    asked = place == ("window", "close_to_tray") and error["input"] is None  # version 0.3 asked
    return place if error["type"] in ("extra_forbidden", "literal_error") or asked else None


@cache
def _log_unknown(names: str) -> None:
    log.warning("What this version does not know is left out of the settings: %s", names)


def read(path: Path) -> Settings:
    """Return the settings in a file, the defaults without it. Raises BrokenFileError with the reason, or OSError."""
    return parse(read_object(path) or {})


def load(path: Path) -> tuple[Settings, str | None]:
    """Return the settings in a file, and a text for the user if they could not be used.

    A missing file gives the defaults. A broken one is renamed to `.bad` and the defaults are used.
    """
    try:
        return read(path), None
    except BrokenFileError as error:
        text = keep_broken(path, error.text)
        log.info("%s", text)  # the caller prints it
        return Settings(), text
    except OSError as error:
        return Settings(), t(
            "The settings file {file} cannot be read ({reason}); the default settings are used.",
            file=path,
            reason=why_not_read(error),
        )


def keep_broken(path: Path, reason: str) -> Text:
    """Rename a broken file to `NAME.bad`, or to `NAME (2).bad` and so on; return what to tell the user."""
    kept = free_name(path.with_name(f"{path.name}.bad"))
    try:
        path.rename(kept)
    except OSError:
        return t(
            "The file {file} cannot be used ({reason}) nor renamed; Mattecam goes on without it.",
            file=path,
            reason=reason,
        )
    return t(
        "The file {file} cannot be used ({reason}) and was renamed to {kept}; Mattecam goes on without it.",
        file=path,
        reason=reason,
        kept=kept,
    )


def save(path: Path, settings: Settings) -> None:
    """Write the file atomically with mode 0600. Raises SettingsError and keeps the old file on failure."""
    write_object(path, settings.model_dump(mode="json"))
