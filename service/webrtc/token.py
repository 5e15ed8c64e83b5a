"""The file with the secret token that clients and service share."""

from __future__ import annotations

import math
import re
import string
from pathlib import Path

from app.core.errors import UsageError
from app.core.files.disk_errors import why_not_read
from app.core.files.names import is_special
from app.core.files.private_file import is_private
from app.core.messages.remote import RemoteText

MIN_BITS = 128
MAX_BYTES = 4096
"""Longer files are none of a token."""
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""As a bearer token is written in a header (RFC 6750)."""
ALPHABETS = (
    string.digits,
    string.digits + "abcdef",
    string.digits + "ABCDEF",
    string.digits + string.ascii_lowercase,
    string.digits + string.ascii_uppercase,
)
"""Characters of which a token may be drawn; one with others is drawn of 64."""
MIN_DIFFERENT = 8
"""Different characters; a random token of any alphabet has more."""


def read_token(path: Path) -> str:
    """Return the token in a file.

    Raises UsageError unless the file is the user's alone (mode 0600) and holds nothing but a token of 128 random bits.
    """
    try:
        if is_special(path):
            raise UsageError(RemoteText.TOKEN_FILE(file=path, reason=RemoteText.TOKEN_NOT_TEXT()))
        private = is_private(path)
        with path.open("rb") as file:
            token = file.read(MAX_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = why_not_read(error) if isinstance(error, OSError) else RemoteText.TOKEN_NOT_TEXT()
        raise UsageError(RemoteText.TOKEN_FILE(file=path, reason=reason)) from error
    if not private:
        raise UsageError(RemoteText.TOKEN_FILE(file=path, reason=RemoteText.TOKEN_MODE(file=path)))
    if not TOKEN.fullmatch(token):
        raise UsageError(RemoteText.TOKEN_FILE(file=path, reason=RemoteText.TOKEN_NOT_TEXT()))
    if most_bits(token) < MIN_BITS:
        raise UsageError(RemoteText.TOKEN_FILE(file=path, reason=RemoteText.TOKEN_SHORT(bits=MIN_BITS)))
    return token


def most_bits(token: str) -> float:
    """Return how many random bits a token can hold at most; 0 if it repeats a few characters."""
    used = set(token)
    drawn_from = next((len(alphabet) for alphabet in ALPHABETS if used <= set(alphabet)), 64)
    return len(token) * math.log2(drawn_from) if len(used) >= MIN_DIFFERENT else 0.0
