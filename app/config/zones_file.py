"""Files of keep and drop zones: JSON with an object for each zone."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from app.config.value_problem import file_problem
from app.core.errors import SettingsError
from app.core.files.disk_errors import why_not_read
from app.core.files.json_file import BrokenFileError, read_object
from app.core.messages.settings import FileReason, ZoneText
from app.core.settings import PeopleSettings, Zone


def read_zones(path: Path) -> tuple[Zone, ...]:
    """Return the zones in a file such as `{"zones": [{"kind": "drop", "points": [[0, 0], [1, 0]], "radius": 0.1}]}`.

    Raises SettingsError.
    """
    try:
        data = read_object(path)
        if data is None:
            raise SettingsError(ZoneText.MISSING(file=path))
        if set(data) != {"zones"}:
            raise BrokenFileError(FileReason.NO_ZONES())
        return PeopleSettings.model_validate(data).zones
    except ValidationError as error:
        raise SettingsError(ZoneText.BROKEN(file=path, reason=file_problem(error))) from error
    except BrokenFileError as error:
        raise SettingsError(ZoneText.BROKEN(file=path, reason=error.text)) from error
    except OSError as error:
        raise SettingsError(ZoneText.BROKEN(file=path, reason=why_not_read(error))) from error
