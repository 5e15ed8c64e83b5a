"""Small JSON files of the user: written atomically; invalid files are renamed and never deleted."""

from __future__ import annotations

import json
from pathlib import Path

from app.core.errors import SettingsError, t
from app.core.files.disk_errors import why_not_read, why_not_written
from app.core.files.names import is_special, resolved
from app.core.files.private_file import write_private

JsonObject = dict[str, object]


class BrokenFileError(SettingsError):
    """The file exists but its content is invalid. The message is only the reason, to be inserted into a sentence."""


def why_not_used(error: BrokenFileError | OSError) -> str:
    """Return the reason why a file cannot be used: a part of a sentence."""
    return error.text if isinstance(error, BrokenFileError) else why_not_read(error)


def read_object(path: Path) -> JsonObject | None:
    """Return the JSON object in a UTF-8 file, or None if the file does not exist.

    Raises BrokenFileError for any other content and OSError if the file cannot be read.
    """
    if is_special(path):
        raise BrokenFileError(t("it is not a text file"))
    try:
        data = json.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise BrokenFileError(t("it is not a text file")) from error
    except ValueError as error:  # also raised for integers with thousands of digits
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise BrokenFileError(t("it is not valid JSON, see line {line}", line=line)) from error
    except RecursionError as error:
        raise BrokenFileError(t("it is nested too deeply")) from error
    if not isinstance(data, dict):
        raise BrokenFileError(t("it contains no JSON object"))
    return data


def write_object(path: Path, data: JsonObject) -> None:
    """Replace the file atomically with `write_private`. Raises SettingsError."""
    target = resolved(path)  # Keep symbolic links, which users have who keep their settings under version control.
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_private(target, (json.dumps(data, indent=2) + "\n").encode(), durable=True)
    except OSError as error:
        raise SettingsError(
            t(
                "The file {file} cannot be written: {reason}⟦; another file can be named with --config⟧.",
                file=path,
                reason=why_not_written(error),
            )
        ) from error
