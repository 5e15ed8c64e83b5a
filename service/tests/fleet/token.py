"""The token of a fleet."""

from __future__ import annotations

from pathlib import Path

TOKEN = "a-secret-of-many-characters"


def token_file(folder: Path) -> Path:
    file = folder / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    return file
