"""Update the translations of the window.

`python -m tools.make_translations` reads the texts of `app/gui` and the messages of the program into
`app/gui/translations/mattecam_XX.ts` with PyQt's `pylupdate`; the window reads these files. Existing translations are
kept; new texts are marked as unfinished.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from app.core import messages
from app.core.text import CommandLineMessage, Message, code_of
from app.gui.i18n.messages import CONTEXT, MODELS
from models.faults import WeightsFault, for_window
from models.table import NETWORKS

FOLDER = Path(__file__).resolve().parents[1] / "app" / "gui" / "translations"
LANGUAGES = ("de", "es")
_LOCATION = re.compile(r" *<location .*/>\n")


def translatable() -> Iterator[Enum]:
    """Yield every message that the window can show."""
    for module in iter_modules(messages.__path__, f"{messages.__name__}."):
        for each in vars(import_module(module.name)).values():
            if isinstance(each, type) and issubclass(each, Message) and not issubclass(each, CommandLineMessage):
                yield from each
    yield from WeightsFault


def update() -> None:
    """Bring the .ts files up to date with the code."""
    from PyQt6.lupdate.lupdate import lupdate

    files = [FOLDER / f"mattecam_{language}.ts" for language in LANGUAGES]
    with tempfile.TemporaryDirectory() as folder:
        calls = Path(folder) / "messages.py"
        lines = (f"translate({CONTEXT!r}, {for_window(each.value)!r}, {code_of(each)!r})\n" for each in translatable())
        titles = (f"translate({MODELS!r}, {spec.title!r})\n" for spec in NETWORKS.values())
        calls.write_text("".join((*lines, *titles)), "utf-8")
        program = [calls, *sorted(FOLDER.parent.rglob("*.py"))]
        lupdate(list(map(str, program)), list(map(str, files)), no_obsolete=True)  # type: ignore[no-untyped-call]
    for file in files:
        # line numbers would change the files with every change of the code
        file.write_text(_LOCATION.sub("", file.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    update()
