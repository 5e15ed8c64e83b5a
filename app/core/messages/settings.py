"""Messages of settings."""

from __future__ import annotations

from app.core.text import Message


class FileReason(Message):
    """Why a JSON file of the user cannot be used: a part of a sentence."""

    NOT_JSON = "it is not valid JSON, see line {line}"
    NESTED = "it is nested too deeply"
    NO_OBJECT = "it contains no JSON object"
    NOT_TEXT = "it is not a text file"
    INVALID = "{field}: {problem}"
    VERSION = "“{version}” is not a version"
    NEWER = "a newer version of Mattecam wrote it (format version {version})"
    NO_ZONES = "it does not hold one list “zones” and nothing else"
    KEEP_ZONE = "it holds a keep zone, which shows the room; only zones of the kind “drop” can be used"
    SCENES_VERSION = "it is not a scenes file of format version {version}"


class ValueProblem(Message):
    """Why a value of a file or an option is not possible: a part of a sentence."""

    CHOICE = "it must be one of {expected}"
    AT_LEAST = "it must be at least {limit}"
    AT_MOST = "it must be at most {limit}"
    NUMBER = "it must be a number"
    WHOLE_NUMBER = "it must be a whole number"
    SWITCH = "it must be true or false"
    TEXT = "it must be text"
    COLOUR = "it must be a colour like #00b140"
    LONGER = "it has more than {limit} characters"
    EMPTY = "it is empty"
    LIST = "it must be a list"
    OBJECT = "it must be an object with names and values"
    FEWER = "it has more than {limit} parts"
    MORE = "it has fewer than {limit} parts"
    ABSENT = "it is missing"
    UNKNOWN = "there is no such setting"


class SettingsText(Message):
    """Errors of the settings file."""

    NOT_WRITTEN = "The file {file} cannot be written: {reason}⟦; another file can be named with --config⟧."
    UNREADABLE = "The settings file {file} cannot be read ({reason}); the default settings are used."
    BROKEN = (
        "The settings file {file} cannot be used ({reason}) and was renamed to {kept}; the default settings are used."
    )
    BROKEN_NOT_RENAMED = (
        "The settings file {file} cannot be used ({reason}) nor renamed; the default settings are used."
    )
    MODEL_MISSING = (
        "The saved model {model} is not installed; {bundled} is used instead⟦ "
        "(`python3 run.py weights download {model}` installs it)⟧."
    )
    CHECKPOINT_MISSING = "The saved weights file {file} does not exist; {bundled} is used instead (check the path)."
    RECORDING_EXISTS = "Files of this name exist and are kept: {files}. This run records to {new}."
    BOTH = "{first} {second}"


class ZoneText(Message):
    """Errors of files with zones."""

    MISSING = "The zones file {file} does not exist; check the path."
    BROKEN = "The zones file {file} cannot be used: {reason}."


class SceneText(Message):
    """Errors of scenes."""

    NAME = "“{name}” cannot be the name of a scene; use 1 to {length} printable characters."
    BROKEN = "The scene “{name}” in {file} cannot be used ({reason}); save it again or remove it."
    EXISTS = "A scene “{name}” already exists; choose another name or remove it first."
    UNKNOWN = "There is no scene “{name}”; the scenes are {names}."
    NONE_SAVED = "There is no scene “{name}”; no scene is saved yet."
    FILE_UNREADABLE = "The scenes file {file} cannot be read ({reason})."
    FILE_BROKEN = "The scenes file {file} cannot be used ({reason}) and was renamed to {kept}; no scenes are available."
    FILE_BROKEN_NOT_RENAMED = "The scenes file {file} cannot be used ({reason}) nor renamed; no scenes are available."
