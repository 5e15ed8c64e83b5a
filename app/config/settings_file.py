"""The settings file: versioned JSON.

That of version 0.3 is read; one that cannot be used is kept as `.bad`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.config.setting import RENAMED, file_problem
from app.core import paths
from app.core.errors import Text, t
from app.core.files import leads_nowhere
from app.core.user_file import BrokenFileError, JsonObject, UserFile, in_time, why_not_used
from app.settings import SETTINGS_VERSION, Settings, rebase

log = logging.getLogger(__name__)


def default_path() -> Path:
    """Return the settings file that is used unless the command line names another."""
    return paths.config_dir() / "settings.json"


# The names that lead to a value in the file, and numbers in lists.
Place = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds."""

    settings: Settings
    # Values that only another version can use.
    unknown: Mapping[Place, object]

    def written(self, settings: Settings) -> JsonObject:
        """Return what the file holds with other settings.

        The other version still finds what only it can use.
        """
        data = settings.model_dump(mode="json")
        defaults = Settings().model_dump(mode="json")
        for place, value in self.unknown.items():
            *path, name = map(str, place)
            part = _part_at(data, path)
            default = _part_at(defaults, path) or {}
            # The user has chosen nothing else since.
            if part is not None and part.get(name) == default.get(name):
                part[name] = value
        return data


def _part_at(data: JsonObject, path: Sequence[str]) -> JsonObject | None:
    part: object = data
    for step in path:
        part = part.get(step) if isinstance(part, dict) else None
    return part if isinstance(part, dict) else None


def parse(data: JsonObject) -> Settings:
    """Convert JSON data of a known version to settings. Raises BrokenFileError with the reason."""
    return _parse_all(data).settings


def _parse_all(data: JsonObject) -> Content:
    version = data.get("version", SETTINGS_VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 2:
        raise BrokenFileError(t("“{version}” is not a version", version=str(version)))
    if version > SETTINGS_VERSION:
        raise BrokenFileError(
            t(
                "a newer version of Mattecam wrote it (format version {version})",
                version=version,
            )
        )
    data = {**data, "version": SETTINGS_VERSION}
    background = data.get("background", {})
    if version == 2 and isinstance(background, dict):
        # It was relative to the level of strict mode: the strongest hides at least as much.
        data["background"] = {**background, "blur_strength": 100}
    try:
        return _without_unknown(_renamed(data))
    except ValidationError as error:
        raise BrokenFileError(file_problem(error)) from error


def _renamed(data: JsonObject) -> JsonObject:
    """Return what a file holds, by the names of this version where it has names of version 0.4."""
    renamed = deepcopy(data)
    for before, now in RENAMED.items():
        *path, name = before.split(".")
        section, field = now.split(".")
        part = _part_at(renamed, path)
        if part is not None and name in part:
            value = part.pop(name)
            new = renamed.setdefault(section, {})
            if isinstance(new, dict):
                new.setdefault(field, value)
    return renamed


def _without_unknown(data: JsonObject) -> Content:
    """Return the settings in `data`, without what this version does not know.

    Names, choices and keep zones.

    Their defaults show no more of the room. Raises ValidationError.
    """
    try:
        return Content(Settings.model_validate(data), {})
    except ValidationError as error:
        places = [place for place in map(_unknown_at, error.errors()) if place is not None]
        if not places:
            raise
    known = deepcopy(data)
    unknown: dict[Place, object] = {}
    for place in reversed(places):  # the last of a list first
        *path, name = place
        part: Any = known
        for step in path:
            part = part[step]
        unknown[place] = part.pop(name)
    settings = Settings.model_validate(known)
    _log_unknown(", ".join(".".join(map(str, place)) for place in places))
    return Content(settings, unknown)


def _unknown_at(error: ErrorDetails) -> Place | None:
    """Return the place of a name, choice or keep zone that only another version knows.

    None for any other error.
    """
    place = error["loc"]
    if any(isinstance(part, int) for part in place):
        # In a list of zones: a keep zone as a whole, but no other part of a zone.
        if place[-1] == "kind" and error["input"] == "keep":
            return place[:-1]
        return None
    if error["type"] in ("extra_forbidden", "literal_error"):
        return place
    # Version 0.3 asked when the window was closed, and wrote null until it had an answer.
    if place == ("window", "close_to_tray") and error["input"] is None:
        return place
    return None


@cache
def _log_unknown(names: str) -> None:
    log.warning("What this version does not know is left out of the settings: %s", names)


def _file(path: Path) -> UserFile[Content]:
    return UserFile(path, _parse_all)


def read(path: Path) -> Settings:
    """Return the settings in a file, the defaults without it.

    Raises BrokenFileError with the reason, or OSError, also for a disk that does not answer.
    """
    content = in_time(path, _file(path).read)
    return Settings() if content is None else content.settings


def load(path: Path) -> tuple[Settings, Text | None]:
    """Return the settings in a file, and a text for the user if they could not be used or are not
    confirmed.

    A missing file gives the defaults. One that cannot be used gives defaults that are not
    confirmed, so that the run starts paused: nobody knows what it hides. The file stays as it is
    until `save` renames it.
    """
    try:
        if in_time(path, partial(leads_nowhere, path)):  # such as a disk that is not connected yet
            raise BrokenFileError(t("it is a link to what does not exist"))
        settings = read(path)
    except (BrokenFileError, OSError) as error:
        text = t(
            "The settings file {file} cannot be used ({reason}). What it hides is unknown, so "
            "Mattecam starts paused, with the default settings.",
            file=path,
            reason=why_not_used(error),
        )
        log.info("%s", text)  # the caller prints it
        return Settings(unconfirmed=True), text
    if not settings.unconfirmed:
        return settings, None
    return settings, t(
        "Earlier settings could not be read, and nobody has resumed since. What they hid is "
        "unknown, so Mattecam starts paused."
    )


def save(path: Path, settings: Settings, before: Settings | None = None) -> Text | None:
    """Write the settings, atomically and with mode 0600.

    before: what this program read or wrote last; only what differs from it is changed in the file,
    which another window may have changed meanwhile. Returns what to tell the user where the file
    could not be used and was renamed, and raises SettingsError where nothing is written, as
    `UserFile.change`.
    """

    def update(present: Content | None) -> JsonObject:
        if present is None:
            return settings.model_dump(mode="json")
        if before is None:
            return present.written(settings)
        return present.written(rebase(present.settings, before, settings))

    return _file(path).change(update)
