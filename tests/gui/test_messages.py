"""The core writes English; the window shows its sentences in the user's language, and nothing else changes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QLocale, Qt
from PyQt6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.capture import open_source
from app.compositing import open_background
from app.config import paths, settings_file
from app.config.scenes import SceneStore
from app.core.errors import MattecamError, PlateError
from app.core.settings import BackgroundSettings, CaptureSettings
from app.doctor.finding import Finding
from app.doctor.virtual_camera import check_virtual_camera
from app.gui.dialogs.findings_view import FindingsView, blocks
from app.gui.dialogs.plate_dialog import PlateDialog
from app.gui.i18n.language import translate
from app.gui.i18n.messages import catalogue, shown
from app.gui.state.tasks import Tasks
from app.gui.translations import sources
from app.matting.plate.plate import read_plate
from app.media.video_reader import VideoReader
from app.output.recorder import Recorder
from models import weights
from tests.doctor.machine import RELEASE, Machine
from tests.gui.conftest import StartWindow
from tools import make_translations

CATALOGUES = {language: catalogue(language) for language in make_translations.LANGUAGES}
ENTRIES: dict[str, dict[str, str]] = json.loads(make_translations.MESSAGES.read_text("utf-8"))
PLACE = re.compile(r"\{\d\}")
ENGLISH = re.compile(r"\b(the|is|are|and|not|with|this|other|choose|cannot)\b", re.IGNORECASE)
"""Words that no German or Spanish sentence holds."""
ARGUMENTS = st.lists(st.text("abcXYZ019_/-äé", min_size=1, max_size=12), min_size=5, max_size=5)


def test_every_sentence_of_the_program_is_in_the_catalogue() -> None:
    assert not sources.missing(ENTRIES), (
        "run tools.make_translations and translate what is new; what nobody sees belongs into sources.NOT_SHOWN"
    )


def test_the_catalogue_holds_no_sentence_that_is_not_made_any_more() -> None:
    assert not sources.unused(ENTRIES), "run tools.make_translations"


@pytest.mark.parametrize("language", make_translations.LANGUAGES)
def test_every_sentence_is_translated_and_keeps_its_places(language: str) -> None:
    for source, translations in ENTRIES.items():
        translation = translations.get(language, "")
        assert translation, f"{source!r} is not translated"
        assert set(PLACE.findall(source)) == set(PLACE.findall(translation)), source
        assert (source[-1] in ".:") == (translation[-1] in ".:"), source
        assert not ENGLISH.search(translation), translation
    assert len(ENTRIES) > 250


def test_what_is_left_out_is_there_to_be_left_out() -> None:
    made = sources.templates()
    for pattern in sources.LEFT_OUT:
        assert list(sources.ROOT.glob(pattern)), pattern
    for module, texts in sources.NOT_SHOWN.items():
        assert [text for text in texts if made.get(text) != module] == []


def test_a_new_sentence_and_an_old_one_are_noticed(tmp_path: Path) -> None:
    rest = [sentence for sentence in ENTRIES if not sentence.startswith("The video {0} has ended")]
    assert sources.missing(rest) == {"The video {0} has ended.": "app/capture/video_file.py"}
    assert sources.unused([*ENTRIES, "The moon {0} is full."]) == ["The moon {0} is full."]
    module = tmp_path / "module.py"
    module.write_text(
        '"""No text."""\n'
        "log.info('nor this')\n"
        "text = f\"{'They' if many else 'It'} {path!r}{more} {'are' if many else 'is'} gone.\"\n"
        "raise SinkError('Some' ' words, {name}.')\n"
    )
    texts = [sources.numbered(text) for text in sources.texts(module)]
    assert texts == ["They {0} are gone.", "It {0} is gone.", "Some words, {0}."]


def test_the_tool_brings_the_catalogue_in_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "messages.json"
    monkeypatch.setattr(make_translations, "MESSAGES", file)
    rest = {sentence: texts for sentence, texts in ENTRIES.items() if sentence != "The video {0} has ended."}
    old = {"The moon {0} is full.": {"de": "Vollmond {0}.", "es": "Luna llena {0}."}}
    file.write_text(json.dumps(rest | old), "utf-8")
    make_translations.update_messages()
    assert json.loads(file.read_text("utf-8")) == rest | {"The video {0} has ended.": {"de": "", "es": ""}}


@pytest.mark.parametrize("language", make_translations.LANGUAGES)
@given(source=st.sampled_from(sorted(ENTRIES)), arguments=ARGUMENTS)
def test_what_was_put_in_is_kept(language: str, source: str, arguments: list[str]) -> None:
    expected = ENTRIES[source][language].format(*arguments)
    assert CATALOGUES[language].translated(source.format(*arguments)) == expected


@pytest.mark.parametrize("language", make_translations.LANGUAGES)
@given(text=st.text("xy7 \n.,:;()/“”{}"))
def test_what_nobody_knows_stays_as_it_is(language: str, text: str) -> None:
    assert CATALOGUES[language].translated(text) == text


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "The camera HD Cam (/dev/video0) cannot be opened: it is in use by zoom (process 12), another program; "
            "close it there or choose another camera.",
            "Die Kamera HD Cam (/dev/video0) lässt sich nicht öffnen: Sie wird benutzt von zoom (Prozess 12), einem "
            "anderen Programm; schließen Sie sie dort oder wählen Sie eine andere Kamera.",
        ),
        (
            "The recording stopped: the disk is full; free some space and try again (nothing was recorded).",
            "Die Aufnahme wurde beendet: Der Datenträger ist voll; schaffen Sie Platz und versuchen Sie es erneut "
            "(es wurde nichts aufgenommen).",
        ),
        (
            "v4l2loopback is installed (built for 6.1, 6.2), but not built for the running kernel 6.3.",
            "v4l2loopback ist installiert (gebaut für 6.1, 6.2), aber nicht für den laufenden Kernel 6.3 gebaut.",
        ),
        ("or by hand:\nsudo modprobe x\nthen:", "oder von Hand:\nsudo modprobe x\ndann:"),
        ("A new thing, which nobody translated: /a, /b.", "A new thing, which nobody translated: /a, /b."),
        ("", ""),
    ],
)
def test_sentences_within_sentences(english: str, german: str) -> None:
    assert CATALOGUES["de"].translated(english) == german


def test_a_sentence_is_looked_up_once_only() -> None:
    german = catalogue("de")
    for _ in range(3):
        german.translated("The video x.mp4 has ended.")
    assert (german.translated.cache_info().misses, german.translated.cache_info().hits) == (1, 2)


FAILING: dict[str, Callable[[Path], object]] = {
    "a picture that is gone": lambda folder: open_background(BackgroundSettings(kind="image", path=folder / "x.png")),
    "a folder for a picture": lambda folder: open_background(BackgroundSettings(kind="image", path=folder)),
    "no picture": lambda folder: open_background(BackgroundSettings(kind="image", path=text_file(folder))),
    "a video that is gone": lambda folder: open_background(BackgroundSettings(kind="video", path=folder / "x.mp4")),
    "no video": lambda folder: open_background(BackgroundSettings(kind="video", path=text_file(folder))),
    "no background": lambda _folder: open_background(BackgroundSettings(kind="image")),
    "a video source that is gone": lambda folder: VideoReader(folder / "x.mkv"),
    "a source without a name": lambda _folder: open_source(CaptureSettings(source="camera:")),
    "a camera that is gone": lambda _folder: open_source(CaptureSettings(source="camera:nobody")),
    "a plate that is gone": lambda folder: read_plate(folder / "plate.png", 64, 48),
    "no plate": lambda folder: read_plate(text_file(folder), 64, 48),
    "a folder that is gone": lambda folder: Recorder(folder / "none" / "x.mp4", 64, 48, 30),
    "an unknown kind of video": lambda folder: Recorder(folder / "x.doc", 64, 48, 30),
    "a scene that is gone": lambda folder: SceneStore(folder / "scenes.json").get("Office"),
    "a scene without a name": lambda folder: SceneStore(folder / "scenes.json").put("", settings_file.parse({})),
    "weights that are gone": lambda folder: weights.find("student", folder / "x.pth"),
    "unknown weights": lambda _folder: weights.spec_of("none"),
    "settings of tomorrow": lambda _folder: settings_file.parse({"version": 99}),
}


def text_file(folder: Path) -> Path:
    path = folder / "file.txt"
    path.write_text("no picture and no video")
    return path


@pytest.mark.parametrize("what", FAILING)
def test_what_really_fails_is_told_in_german_and_spanish(what: str, tmp_path: Path) -> None:
    with pytest.raises((MattecamError, weights.WeightsError)) as caught:
        FAILING[what](tmp_path)
    for language in make_translations.LANGUAGES:
        translated = CATALOGUES[language].translated(str(caught.value))
        assert translated != str(caught.value)
        assert not re.search(r"\b(the|choose|is)\b", translated), translated


@pytest.mark.skipif(sys.platform != "linux", reason="device files")
def test_a_device_that_is_no_camera_is_told_in_german() -> None:
    with pytest.raises(MattecamError) as caught:
        open_source(CaptureSettings(source="camera:/dev/null"))
    assert CATALOGUES["de"].translated(str(caught.value)) == (
        "Die Kamera /dev/null lässt sich nicht öffnen: Es ist keine Kamera (kein Videogerät); wählen Sie eine andere."
    )


def machines(folder: Path) -> list[tuple[Finding, ...]]:
    """What the doctor finds on machines that lack one thing after the other."""
    found = []
    for number, distribution in enumerate(("debian", "fedora", "nixos", "void")):
        machine = Machine(folder / str(number), distribution)
        found.append(check_virtual_camera(machine.system()))
        machine.module_source()
        found.append(check_virtual_camera(machine.system()))
        machine.module_file()
        found.append(check_virtual_camera(machine.system()))
        machine.loaded(10, 11, caps="N")
        machine.process(77, "obs", "/dev/video10")
        machine.write("/etc/modprobe.d/obs.conf", "options v4l2loopback devices=1\n")
        for allowed, busy in ((False, False), (True, True), (True, False)):
            found.append(check_virtual_camera(machine.system(allowed=allowed, busy=busy)))
    return found


@pytest.mark.parametrize("language", make_translations.LANGUAGES)
def test_what_the_doctor_finds_is_told_without_english_words(language: str, tmp_path: Path) -> None:
    count = 0
    for finding in (finding for findings in machines(tmp_path) for finding in findings):
        words = [text for is_command, text in blocks(finding.fix) if not is_command]
        for text in (finding.detail, finding.why, *words):
            assert not ENGLISH.search(CATALOGUES[language].translated(text)), text
            count += 1
    assert count > 100


def test_the_doctor_speaks_german_and_its_commands_stay(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> None:
    tasks = Tasks()
    findings = machines(tmp_path)[2]
    with translate(qapp, QLocale("de")):
        view = FindingsView(tasks)
        qtbot.addWidget(view)
        with qtbot.waitSignal(view.shown):
            view.check(lambda: findings)
    tasks.close()
    labels = [label.text() for label in view.findChildren(QLabel)]
    assert f"Das Modul v4l2loopback ist für den laufenden Kernel {RELEASE} installiert, aber nicht geladen." in labels
    assert "oder von Hand, bis zum nächsten Start:" in labels
    assert "run.py doctor --fix" in labels
    copied = [found.accessibleDescription() for found in view.findChildren(QPushButton) if found.text() == "Kopieren"]
    assert any(command.startswith("sudo modprobe v4l2loopback") for command in copied)


@pytest.mark.parametrize(
    ("language", "picture", "scene"),
    [
        (
            "de",
            "Das Bild {0} gibt es nicht; wählen Sie ein anderes.",
            "Es gibt keine Szene 'Office'; es ist noch keine gespeichert.",
        ),
        ("es", "La imagen {0} no existe; elija otra.", "No hay ninguna escena 'Office'; aún no hay ninguna guardada."),
    ],
)
def test_the_window_tells_what_failed_in_its_language_and_the_rest_stays_english(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, tmp_path: Path, language: str, picture: str, scene: str
) -> None:
    gone = tmp_path / "gone.png"
    english = f"The picture {gone} does not exist; choose another one."
    with translate(qapp, QLocale(language)):
        session = start_window()
        bar = session.window.error_bar
        session.store.edit("background", kind="image", path=gone)
        qtbot.waitUntil(lambda: bar.text == picture.format(gone))
        assert english in session.bridge.status.errors
        assert "does not exist; choose another one." in session.window.diagnostics()
        session.window.scenes.use("Office")
        qtbot.waitUntil(lambda: bar.text == scene)
    assert shown(english) == english, "afterwards it is English again"


def test_a_broken_background_and_a_failed_plate_are_told_in_german(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot
) -> None:
    broken = paths.backgrounds_dir() / "broken.png"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("no picture")
    with translate(qapp, QLocale("de")):
        window = start_window().window
        model = window.strip.model

        def tip() -> str:
            row = next((row for row, tile in enumerate(model.tiles) if tile.path == broken), 0)
            return str(model.data(model.index(row), int(Qt.ItemDataRole.ToolTipRole)))

        sentence = f"{broken} ist kein lesbares Video: Es ist beschädigt oder unbekannt; wählen Sie eine andere Datei."
        qtbot.waitUntil(lambda: tip() == sentence)
        window.show_plate_dialog()
        dialog = window.findChild(PlateDialog)
        assert dialog is not None
        dialog._fail(PlateError("Someone is still in the picture; step out of it and take the plate again."))
        assert dialog.text.text().startswith("Es ist noch jemand im Bild; gehen Sie bitte hinaus")
        dialog.close()
