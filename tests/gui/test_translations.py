"""The words of the translations: one form of address, one word for one thing, and buttons quoted by their own names."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from PyQt6.QtCore import QLocale
from PyQt6.QtWidgets import QApplication, QLabel

from app.gui.dialogs.shortcuts_dialog import ShortcutsDialog
from app.gui.i18n.language import translate
from tests.gui.conftest import StartWindow
from tests.gui.widgets import find
from tests.paths import ROOT
from tools.make_translations import FOLDER, LANGUAGES

QUOTED = re.compile(r"[“„«]([^”“»]+)[”“»]")
UNWANTED = {
    "de": r"\b(du|dein\w*|dir|dich|Computer\w*|Vorführung|Verzögerung|Ctrl|Executor)\b|[^\W\d] …",
    "es": r"\b(tu|tus|ti|te|tú|contigo|tuy[oa]s?|puedes|quieres|pides|apartas|consulta abajo|Copia primero|Guárdala"
    r"|Añade|Toma|Pulsa|Inténtalo|verte|ordenador\w*|retardo|tarjeta de espera|Ctrl|Mayús)\b",
}
"""In German "Sie", "Rechner", "Demo", "Latenz", "Strg", "Ausführung", and no space before an ellipsis; in Spanish
"usted", "equipo", "latencia", "pantalla de pausa"; the keys as Qt names them in the menus."""
COMMAND = re.compile(r"docker run --gpus all …")


def messages(language: str) -> Iterator[tuple[str, str, str]]:
    """(context, English text, translation)"""
    for context in ElementTree.parse(FOLDER / f"mattecam_{language}.ts").iter("context"):
        for message in context.iter("message"):
            texts = (context.findtext("name"), message.findtext("source"), message.findtext("translation"))
            yield texts[0] or "", texts[1] or "", texts[2] or ""


WHILE_THE_LANGUAGE_CHANGES = """
import sys, threading
from PyQt6.QtCore import QCoreApplication, QLocale
from app.gui.i18n.language import Translation

sys.setswitchinterval(1e-5)
app, done = QCoreApplication([]), threading.Event()
found = set()
def ask():
    while not done.is_set():
        found.add(QCoreApplication.translate("Backgrounds", "Oak slats"))
threads = [threading.Thread(target=ask) for _ in range(3)]
for thread in threads:
    thread.start()
translation = Translation(app)
number = 0
while number < 2000 or len(found) < 2:  # also on a machine where the threads rarely run
    translation.use(QLocale(("de", "es")[number % 2]))
    number += 1
done.set()
for thread in threads:
    thread.join()
"""


def test_the_language_changes_while_other_threads_translate() -> None:
    """`ctl` looks up the names of backgrounds on its own threads: both waited for each other for ever."""
    subprocess.run([sys.executable, "-c", WHILE_THE_LANGUAGE_CHANGES], cwd=ROOT, timeout=60, check=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_quotes_controls_by_the_names_that_they_have(language: str) -> None:
    names: dict[str, set[str]] = {}
    for _context, source, translation in messages(language):
        names.setdefault(source, set()).add(translation.rstrip("…"))
    checked = 0
    for _context, source, translation in messages(language):
        for name in QUOTED.findall(source):
            if name in names:
                checked += 1
                assert set(QUOTED.findall(translation)) & names[name], f"{translation!r} names {names[name]} otherwise"
    assert checked >= 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_word_for_one_thing(language: str) -> None:
    found = [text for *_others, text in messages(language) if re.search(UNWANTED[language], COMMAND.sub("", text))]
    assert not found


@pytest.mark.parametrize(("language", "control"), [("de", "Strg"), ("es", "Control")])
def test_every_shortcut_is_named_in_the_language(
    start_window: StartWindow, qapp: QApplication, language: str, control: str
) -> None:
    with translate(qapp, QLocale(language)):
        window = start_window().window
        window.windows.open_shortcuts()
        dialog = find(window, ShortcutsDialog)
        keys = [label.text() for label in dialog.findChildren(QLabel) if label.property("role") == "command"]
        dialog.close()
    assert f"{control}+0" in keys
    assert not any(name in text for text in keys for name in ("Ctrl", "Shift"))
