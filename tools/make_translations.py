"""Update the translations of the window.

`python -m tools.make_translations` brings `app/gui/translations/mattecam_XX.ts`, which the window
reads, up to date with the code: the literals that `t`, `tr` and errors of weights get, and titles
of models. Existing translations are kept; new texts are marked as unfinished.

Equal texts share one translation, in whatever part of the window they are. Where two need different
ones, a comment tells them apart: the argument of `tr` after the text.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from app.config.setting import SETTINGS
from app.core.errors import Text
from models.errors import for_window
from models.table import NETWORKS

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "app" / "gui" / "translations"
TAKE_TEMPLATES = (
    "t",
    "WeightsError",
    "WeightsNotFoundError",
    "WeightsDamagedError",
    "DownloadError",
    "WrongFileError",
)
"""Names of what takes the template of a message as its first argument."""
LANGUAGES = ("de", "es")
Key = tuple[str, str]
"""A text in English and its comment."""


def templates(path: Path) -> Iterator[str]:
    """Yield the templates in a module, also of `partial(t, …)`. Raise ValueError for one that is no
    literal.
    """
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        deferred = (
            node.func.id == "partial"
            and isinstance(node.args[0], ast.Name)
            and node.args[0].id == "t"
        )
        if node.func.id not in TAKE_TEMPLATES and not deferred:
            continue
        template = node.args[1 if deferred else 0]
        if not isinstance(template, ast.Constant) or not isinstance(template.value, str):
            raise ValueError(
                f"{path}:{node.lineno}: {node.func.id}() needs a literal, which is found here"
            )
        yield template.value


def translatable() -> list[str]:
    """Return the template of every message that the window can show, in the order of the alphabet."""
    files = (path for folder in ("app", "models") for path in (ROOT / folder).rglob("*.py"))
    found = {template for path in files for template in templates(path)}
    for setting in SETTINGS.values():
        for text in (setting.title, setting.description):
            if setting.title and isinstance(text, Text):  # it has a row in the window
                found.add(text.template)
    return sorted(found)


def texts_of_window(path: Path) -> Iterator[Key]:
    """Yield the literals that a module hands to `tr`, and their comments."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
            words = [str(each.value) for each in node.args if isinstance(each, ast.Constant)]
            if words and len(words) == len(node.args):
                yield words[0], "".join(words[1:])


def texts() -> list[Key]:
    """Return every text of the window and every message, in the order of the alphabet."""
    found = {key for path in FOLDER.parent.rglob("*.py") for key in texts_of_window(path)}
    found |= {(for_window(template), "") for template in translatable()}
    found |= {(spec.title, "") for spec in NETWORKS.values()}
    return sorted(found)


def update(path: Path) -> None:
    """Bring a .ts file up to date with the code."""
    root = ElementTree.parse(path).getroot()  # noqa: S314
    known = {
        (message.findtext("source"), message.findtext("comment", "")): message.findtext(
            "translation", ""
        )
        for message in root.iter("message")
    }
    for context in root.findall("context"):
        root.remove(context)
    context = SubElement(root, "context")
    SubElement(context, "name").text = "Mattecam"
    for source, comment in texts():
        message = SubElement(context, "message")
        SubElement(message, "source").text = source
        if comment:
            SubElement(message, "comment").text = comment
        translation = known.get((source, comment), "")
        SubElement(
            message, "translation", {} if translation else {"type": "unfinished"}
        ).text = translation
    write(path, root)


def write(path: Path, root: Element) -> None:
    """Write a .ts file as Qt's tools do."""
    ElementTree.indent(root, "    ")
    text = ElementTree.tostring(root, "unicode")
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{text}\n', "utf-8")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    for language in LANGUAGES:
        update(FOLDER / f"mattecam_{language}.ts")
