"""The file with the secret token that clients and service share."""

from __future__ import annotations

from pathlib import Path

from app.config.private_file import is_private
from app.core.errors import UsageError
from app.core.messages.remote import RemoteText

MIN_CHARACTERS = 16


def read_token(path: Path) -> str:
    """Return the token in a file. Raises UsageError unless the file has mode 0600 and enough characters."""
    try:
        private = is_private(path)
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or RemoteText.TOKEN_NOT_TEXT()
        raise UsageError(RemoteText.TOKEN_FILE(file=path, reason=reason)) from error
    if not private:
        raise UsageError(RemoteText.TOKEN_FILE(file=path, reason=RemoteText.TOKEN_MODE(file=path)))
    if len(token) < MIN_CHARACTERS:
        raise UsageError(RemoteText.TOKEN_FILE(file=path, reason=RemoteText.TOKEN_SHORT(characters=MIN_CHARACTERS)))
    return token
