"""Update the translations of the window.

`python -m tools.make_translations` reads the texts of `app/gui` and the messages of the program, which are the literals
that `t` gets, into `app/gui/translations/mattecam_XX.ts` with PyQt's `pylupdate`; the window reads these files.
Existing translations are kept; new texts are marked as unfinished.
"""

from __future__ import annotations

import argparse
import ast
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.gui.i18n.messages import CONTEXT, MODELS
from models.faults import WeightsFault, for_window
from models.table import NETWORKS

PROGRAM = Path(__file__).resolve().parents[1] / "app"
FOLDER = PROGRAM / "gui" / "translations"
LANGUAGES = ("de", "es")
_LOCATION = re.compile(r" *<location .*/>\n")


def templates(path: Path) -> Iterator[str]:
    """Yield the literals that a module hands to `t`, also as `partial(t, …)`. Raise ValueError for anything else."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        deferred = node.func.id == "partial" and isinstance(node.args[0], ast.Name) and node.args[0].id == "t"
        if node.func.id != "t" and not deferred:
            continue
        template = node.args[1 if deferred else 0]
        if not isinstance(template, ast.Constant) or not isinstance(template.value, str):
            raise ValueError(f"{path}:{node.lineno}: t() needs a literal, which is found here")
        yield template.value


def translatable() -> list[str]:
    """Return the template of every message that the window can show, in the order of the alphabet."""
    found = {template for path in PROGRAM.rglob("*.py") for template in templates(path)}
    return sorted(found | {fault.value for fault in WeightsFault})


def update() -> None:
    """Bring the .ts files up to date with the code."""
    from PyQt6.lupdate.lupdate import lupdate

    files = [FOLDER / f"mattecam_{language}.ts" for language in LANGUAGES]
    with tempfile.TemporaryDirectory() as folder:
        calls = Path(folder) / "messages.py"
        lines = (f"translate({CONTEXT!r}, {for_window(template)!r})\n" for template in translatable())
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
