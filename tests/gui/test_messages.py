"""The program writes English; the window shows its messages in the language of the user."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtCore import QCoreApplication, QLocale, Qt
from PyQt6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.capture import open_source
from app.compositing import open_background
from app.config import settings_file
from app.config.scenes import SceneStore
from app.core.errors import MattecamError, PlateError
from app.core.files import paths, program
from app.core.messages.doctor import CameraFinding
from app.core.messages.matting import PlateText
from app.core.messages.system import ProgramName
from app.core.settings import BackgroundSettings, CaptureSettings
from app.core.text import Text, code_of
from app.doctor.finding import CommandLine, Finding
from app.doctor.virtual_camera import check_virtual_camera
from app.gui.dialogs.findings_view import FindingsView, check_names
from app.gui.dialogs.plate_dialog import PlateDialog
from app.gui.i18n.language import translate
from app.gui.i18n.messages import CONTEXT, translated, translated_error
from app.gui.state.tasks import Tasks
from app.matting.plate.plate import read_plate
from app.media.video_reader import VideoReader
from app.output.recorder import Recorder
from app.output.recording import RecordingOptions
from app.output.sound.devices import FFmpegMicrophone
from models import weights
from tests.doctor.machine import RELEASE, Machine
from tests.gui.conftest import StartWindow
from tests.gui.widgets import find
from tools import make_translations

ENGLISH = re.compile(r"\b(the|is|are|and|not|with|this|other|choose|cannot)\b", re.IGNORECASE)
"""Words that occur in no German or Spanish sentence."""
PLACE = re.compile(r"\{\w+\}")


@pytest.mark.parametrize("language", make_translations.LANGUAGES)
def test_every_message_is_translated_with_the_same_values(qapp: QApplication, language: str) -> None:
    count = 0
    with translate(qapp, QLocale(language)):
        for message in make_translations.translatable():
            code, source = code_of(message), message.value
            translation = QCoreApplication.translate(CONTEXT, source, code)
            assert set(PLACE.findall(source)) == set(PLACE.findall(translation)), code
            assert (source[-1] in ".:") == (translation[-1] in ".:"), code
            assert not ENGLISH.search(PLACE.sub("", translation)), code
            count += 1
    assert count > 100


def test_a_text_within_a_text_is_translated(qapp: QApplication) -> None:
    programs = (ProgramName.PROCESS(name="zoom", pid="12"), ProgramName.THIS())
    text = CameraFinding.IN_USE(device="/dev/video0", name="HD Cam", programs=programs)
    with translate(qapp, QLocale("de")):
        assert translated(text) == "/dev/video0 (HD Cam) wird von zoom (Prozess 12), Mattecam selbst benutzt."
    assert translated(text) == "/dev/video0 (HD Cam) is in use by zoom (process 12), Mattecam itself."


def test_a_text_without_a_message_is_shown_as_it_is(qapp: QApplication) -> None:
    with translate(qapp, QLocale("de")):
        assert translated("Nobody translated this: {x}.") == "Nobody translated this: {x}."


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
    "a folder that is gone": lambda folder: Recorder(folder / "none" / "x.mp4", 64, 48, RecordingOptions(30)),
    "an unknown kind of video": lambda folder: Recorder(folder / "x.doc", 64, 48, RecordingOptions(30)),
    "a microphone that FFmpeg lacks": lambda _folder: FFmpegMicrophone("x", "x", "no-such-format", {}),
    "a scene that is gone": lambda folder: SceneStore(folder / "scenes.json").get("Office"),
    "a scene without a name": lambda folder: SceneStore(folder / "scenes.json").put("", settings_file.parse({})),
    "weights that are gone": lambda folder: weights.find("mattecam", folder / "x.pth"),
    "unknown weights": lambda _folder: weights.spec_of("none"),
    "settings of tomorrow": lambda _folder: settings_file.parse({"version": 99}),
}


def text_file(folder: Path) -> Path:
    path = folder / "file.txt"
    path.write_text("no picture and no video")
    return path


@pytest.mark.parametrize("what", FAILING)
def test_real_failures_are_translated(qapp: QApplication, what: str, tmp_path: Path) -> None:
    with pytest.raises((MattecamError, weights.WeightsError)) as caught:
        FAILING[what](tmp_path)
    for language in make_translations.LANGUAGES:
        with translate(qapp, QLocale(language)):
            words = translated_error(caught.value)
        assert words != str(caught.value)
        assert not re.search(r"\b(the|choose|is)\b", words), words


@pytest.mark.skipif(sys.platform != "linux", reason="device files")
def test_a_device_that_is_not_a_camera(qapp: QApplication) -> None:
    with pytest.raises(MattecamError) as caught:
        open_source(CaptureSettings(source="camera:/dev/null"))
    with translate(qapp, QLocale("de")):
        assert translated_error(caught.value) == (
            "Die Kamera /dev/null lässt sich nicht öffnen: Das Gerät ist keine Kamera; wählen Sie ein anderes."
        )


def machines(folder: Path) -> list[tuple[Finding, ...]]:
    """Findings on machines that each lack something else."""
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
def test_findings_are_translated(qapp: QApplication, language: str, tmp_path: Path) -> None:
    count = 0
    with translate(qapp, QLocale(language)):
        for finding in (finding for findings in machines(tmp_path) for finding in findings):
            words = [step for step in finding.steps if not isinstance(step, CommandLine)]
            for text in (finding.detail, finding.why or "", *words):
                assert not ENGLISH.search(translated(text)), text
                count += 1
    assert count > 100


def test_doctor_is_translated_to_german_except_commands(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> None:
    tasks = Tasks()
    findings = machines(tmp_path)[2]
    with translate(qapp, QLocale("de")):
        view = FindingsView(tasks)
        qtbot.addWidget(view)
        with qtbot.waitSignal(view.shown):
            view.check(lambda: findings)
    tasks.close()
    labels = [label.text() for label in view.findChildren(QLabel)]
    assert (
        f"Das Kernelmodul v4l2loopback ist für den laufenden Kernel {RELEASE} installiert, aber nicht geladen."
        in labels
    )
    assert "Oder von Hand, bis zum nächsten Neustart:" in labels
    assert "python3 run.py doctor --fix" in labels
    copied = [found.accessibleDescription() for found in view.findChildren(QPushButton) if found.text() == "Kopieren"]
    assert any(command.startswith("sudo modprobe v4l2loopback") for command in copied)


def test_every_check_of_the_doctor_has_a_name_in_the_window() -> None:
    literal = re.compile(r'(?:Finding\(|_warning\(|Advice\(|_folder_finding\(|check = |_CHECK = )\s*f?"([^"]+)"')
    found = set()
    for path in (make_translations.FOLDER.parents[1] / "doctor").glob("*.py"):
        source = path.read_text("utf-8")
        prefix = "PipeWire camera: " if path.name == "pipewire.py" else ""
        found |= {
            prefix + name.removeprefix("{_CHECK}") for name in literal.findall(source) if not name.endswith((": ", "}"))
        }
    assert {"camera", "PipeWire camera: daemon", "disk: models", "virtual camera: Secure Boot"} <= found
    assert found <= set(check_names())


@pytest.mark.parametrize("language", ["en", *make_translations.LANGUAGES])
def test_an_installed_copy_names_its_own_command(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setattr(program, "SCRIPT", tmp_path / "run.py")
    with translate(qapp, QLocale(language)):
        for message in make_translations.translatable():
            values = dict.fromkeys(re.findall(r"\{(\w+)\}", message.value), "x")
            assert "run.py" not in translated(Text(message, values)), code_of(message)
        tasks = Tasks()
        view = FindingsView(tasks)
        qtbot.addWidget(view)
        with qtbot.waitSignal(view.shown):
            view.check(lambda: machines(tmp_path)[2])
        tasks.close()
    labels = [label.text() for label in view.findChildren(QLabel)]
    assert "mattecam doctor --fix" in labels
    copied = [found.accessibleDescription() for found in view.findChildren(QPushButton)]
    assert "mattecam doctor --fix" in copied
    assert not any("run.py" in text for text in labels + copied)
    script = tmp_path / "run.py"
    assert str(script) in translated(CameraFinding.FOUND(name="x", device=script)), "a file keeps its name"


@pytest.mark.parametrize(
    ("language", "picture", "scene"),
    [
        (
            "de",
            "Das Bild {0} gibt es nicht; wählen Sie ein anderes.",
            "Es gibt keine Szene „Office“; es ist noch keine gespeichert.",
        ),
        ("es", "La imagen {0} no existe; elija otra.", "No hay ninguna escena «Office»; aún no hay ninguna guardada."),
    ],
)
def test_errors_are_translated_in_the_window_but_not_in_logs(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, tmp_path: Path, language: str, picture: str, scene: str
) -> None:
    gone = tmp_path / "gone.png"
    english = f"The image {gone} does not exist; choose another one."
    with translate(qapp, QLocale(language)):
        session = start_window()
        bar = session.window.error_bar
        session.store.edit("background", kind="image", path=gone)
        qtbot.waitUntil(lambda: bar.text == picture.format(gone))
        assert english in session.bridge.status.errors
        assert "does not exist; choose another one." in session.window.windows.diagnostics()
        session.window.scenes.apply("Office")
        qtbot.waitUntil(lambda: bar.text == scene)
    assert translated(english) == english, "English again after the block"


def test_damaged_background_and_failed_plate_are_reported_in_german(
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

        sentence = (
            f"{broken} ist kein lesbares Bild; verwenden Sie eine Datei im Format JPEG, PNG, WebP, TIFF oder BMP."
        )
        qtbot.waitUntil(lambda: tip() == sentence)
        window.windows.open_plate_dialog()
        dialog = find(window, PlateDialog)
        dialog._fail(PlateError(PlateText.SOMEONE_IN_VIEW()))
        assert dialog.text.text().startswith("Es ist noch jemand im Bild; gehen Sie aus dem Bild")
        dialog.close()
