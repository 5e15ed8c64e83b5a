"""The backgrounds that come with the program; `docs/make_backgrounds.py` draws them."""

from __future__ import annotations

from pathlib import Path

from app.paths import assets_dir


def bundled_backgrounds() -> tuple[Path, ...]:
    """The pictures, in the order in which they are offered (their names start with a number)."""
    return tuple(sorted((assets_dir() / "backgrounds").glob("*.jpg")))


def title(path: Path) -> str:
    """The English name of a bundled background, such as `Dusk hills` for `3-dusk-hills.jpg`."""
    words = path.stem.split("-")
    return " ".join(words[1:] if words[0].isdigit() else words).capitalize()
