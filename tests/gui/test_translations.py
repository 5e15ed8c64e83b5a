"""Every text has a translation, which is found; errors are translated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PyQt6.QtCore import QCoreApplication, QLocale, Qt
from PyQt6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.core import paths
from app.core.errors import Text, t, text_of
from app.gui.panels.plate import PlateDialog
from app.gui.translation import describe_model, standby_text, tr, translated, translation_file
from app.runtime.context import default_standby_text
from app.runtime.status import Phase
from models import program
from models.errors import WeightsNotFoundError, for_command_line, for_window
from models.weights import find as find_weights
from tests.gui.conftest import GERMAN, NEEDS_PLATE, StartWindow
from tests.gui.widgets import existing, find, translate
from tools import make_translations
from tools.make_translations import FOLDER, LANGUAGES

PLACE = re.compile(r"\{\w+\}")
ENGLISH = re.compile(r"\b(the|is|are|and|not|with|this|other|choose|cannot)\b", re.IGNORECASE)
"""Words that occur in no German or Spanish sentence."""
TYPED = re.compile(r"`[^`]*`|docker run [^)]*")
"""Commands, which are not translated."""


@pytest.mark.parametrize("text", [default_standby_text, standby_text])
def test_the_card_says_what_is_prepared_also_without_a_camera(
    text: Callable[[Phase, Text | None], str],
) -> None:
    """It said that there was no camera, while the window prepared its demonstration."""
    step = t("Preparing for this computer, once: step {step} of {count}", step=2, count=5)

    said = {phase: text(phase, step) for phase in (Phase.STARTING, Phase.NO_CAMERA, Phase.WAITING)}

    assert (
        said[Phase.STARTING]
        == said[Phase.NO_CAMERA]
        == "Preparing for this computer, once: step 2 of 5"
    )
    assert said[Phase.WAITING] == "One moment, please"
    assert text(Phase.NO_CAMERA, None) == "No camera"


def messages(language: str) -> Iterator[tuple[str, str, str]]:
    """Yield (source, comment, translation) of every message in a translation."""
    for message in ElementTree.parse(FOLDER / f"mattecam_{language}.ts").iter("message"):
        yield (
            message.findtext("source", ""),
            message.findtext("comment", ""),
            message.findtext("translation", ""),
        )


translatable = cache(make_translations.translatable)
"""Reads the whole program."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_with_its_values_and_found(qapp: object, language: str) -> None:
    """Messages of the program are sentences, or parts of these."""
    count = 0
    of_program = {for_window(template) for template in translatable()}
    with translate(language):
        for source, comment, translation in messages(language):
            count += 1
            assert translation, f"{source!r} is not translated"
            assert tr(source, comment) == translation
            assert sorted(PLACE.findall(source)) == sorted(PLACE.findall(translation)), source
            assert source.endswith("…") == translation.endswith("…"), source
            assert sorted(TYPED.findall(source)) == sorted(TYPED.findall(translation)), source
            if source in of_program:
                assert (source[-1] in ".:") == (translation[-1] in ".:"), source
                assert not ENGLISH.search(PLACE.sub("", translation)), source
            else:
                assert ("&" in source) == ("&" in translation), source
        assert QCoreApplication.translate("QPlatformTheme", "Cancel") in (
            "Abbrechen",
            "Cancelar",
        ), "Qt's own texts"
    assert count > 300
    assert tr(source, comment) == source, "removed after the block"
    country = {"de": "de_AT", "es": "es_MX"}[language]
    assert translation_file(QLocale(country)) == FOLDER / f"mattecam_{language}.ts"
    assert translation_file(QLocale("en_GB")) is translation_file(QLocale("ja_JP")) is None


def test_the_translations_hold_every_text_of_the_program_and_no_other() -> None:
    texts = make_translations.texts()
    for language in LANGUAGES:
        assert [(source, comment) for source, comment, _ in messages(language)] == texts


def test_texts_within_texts_are_translated_and_others_are_shown_as_they_are(qapp: object) -> None:
    """Errors named `mattecam-plate`, which no list of the window shows."""
    programs = (t("{name} (process {pid})", name="zoom", pid="12"), t("Mattecam itself"))
    text = t(
        "{device} ({name}) is in use by {programs}.",
        device="/dev/video0",
        name="HD Cam",
        programs=programs,
    )
    model = "„Weniger genau, mit einem Foto Ihres leeren Raums“"

    with translate("de"):
        assert (
            translated(text)
            == "/dev/video0 (HD Cam) wird von zoom (Prozess 12), Mattecam selbst benutzt."
        )
        assert translated("Nobody translated this: {x}.") == "Nobody translated this: {x}."
        assert model in translated(NEEDS_PLATE) and "mattecam-plate" not in translated(NEEDS_PLATE)
        assert f"{model}, " in translated(
            t("Installed models: {models}.", models=("mattecam-plate", "u2net"))
        )
        assert describe_model("of-tomorrow") == "of-tomorrow"
    assert (
        translated(text) == "/dev/video0 (HD Cam) is in use by zoom (process 12), Mattecam itself."
    )


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_a_copy_names_its_command(
    qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    script = tmp_path / "run.py"
    monkeypatch.setattr(program, "SCRIPT", script)
    with translate(language):
        for template in translatable():
            values = dict.fromkeys(re.findall(r"\{(\w+)\}", template), "x")
            assert "run.py" not in translated(Text(template, values)), template
        assert str(script) in translated(t("{name} ({device}).", name="x", device=script)), (
            "a file keeps its name"
        )


COMMANDING = "docker run --", "start run.py again:", "Start run.py with"
"""What findings of the doctor tell to type."""


def test_the_window_names_no_option_and_the_command_line_says_not_that_it_is_one() -> None:
    """A failed download said "--weights" in the window, and "on the command line: --weights" on the command line."""
    for template in translatable():
        if not any(words in template for words in COMMANDING):
            assert not re.search(r"\s--\w|run\.py|⟦|⟧", for_window(template)), template
        assert "on the command line" not in for_command_line(template), template
    with pytest.raises(WeightsNotFoundError) as caught:
        find_weights("mattecam", Path("x"))
    assert str(caught.value) == "There is no weights file x; choose another one with --weights."
    assert translated(text_of(caught.value)) == "There is no weights file x; choose another one."


def test_only_logs_stay_english(start_window: StartWindow, qtbot: QtBot, tmp_path: Path) -> None:
    gone = tmp_path / "gone.png"
    broken = paths.backgrounds_dir() / "broken.png"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("no picture")
    session = start_window(window=GERMAN)
    window = session.window
    model = session.window.strip.model

    def tip() -> str:
        row = next((row for row, tile in enumerate(model.tiles) if tile.path == broken), 0)
        return str(model.data(model.index(row), int(Qt.ItemDataRole.ToolTipRole)))

    qtbot.waitUntil(
        lambda: tip().startswith(f"{broken} ist kein lesbares Bild; verwenden Sie eine Datei")
    )
    session.store.edit("background", kind="image", path=gone)
    qtbot.waitUntil(
        lambda: window.notices.error == f"Das Bild {gone} gibt es nicht; wählen Sie ein anderes."
    )
    assert f"The image {gone} does not exist; choose another one." in session.bridge.status.errors
    window.copy_diagnostics()
    assert "does not exist; choose another one." in existing(QGuiApplication.clipboard()).text()
    window.scenes.apply("Office")
    qtbot.waitUntil(
        lambda: (
            window.notices.error == "Es gibt keine Szene „Office“; es ist noch keine gespeichert."
        )
    )
    window.open_plate_dialog()
    dialog = find(window, PlateDialog)
    session.store.set("paused", True)
    dialog.begin()
    qtbot.waitUntil(lambda: dialog.text.text().startswith("Solange Mattecam pausiert"))
    dialog.close()
