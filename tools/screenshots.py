"""Take screenshots of the window over a running pipeline.

    python -m tools.screenshots                        those of the README, written to docs/images
    python -m tools.screenshots --set features         those of docs/features.md, small WebP files in docs/images
    python -m tools.screenshots --all --output FOLDER  every theme, scale and language, for review

Without a display it renders offscreen. The best installed model is used (`run.py weights list`).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PyQt6.QtCore import QEventLoop, QLocale, QTimer
from PyQt6.QtWidgets import QApplication, QWidget

from app.config.paths import assets_dir
from app.core.placement import IN_PLACE
from app.core.settings import CaptureSettings, MattingSettings, OutputSettings, Settings
from app.gui.dialogs.assistant import Assistant
from app.gui.dialogs.doctor_dialog import DoctorDialog
from app.gui.dialogs.preferences_dialog import PreferencesDialog
from app.gui.i18n.language import translate
from app.gui.panels.presenter import PresenterControls
from app.gui.preview.rendering import ViewMode
from app.gui.shell.application import Session, WindowOptions, make_application
from app.gui.shell.single_instance import SingleInstance
from app.gui.state.log_buffer import LogBuffer
from app.gui.state.preferences import WindowPreferences, save
from app.runtime.status import PipelineStatus
from tools.feature_shots import FEATURES, Feature

ROOT = Path(__file__).resolve().parent.parent
FRAMES = 12
PATIENCE_MS, SETTLE_MS = 300_000, 200
SIZE = (1280, 840)
SMALL_WIDTH, QUALITY = 960, 60
"""Of the pictures of features."""
LANGUAGES, THEMES, SCALES = ("en", "de", "es"), ("dark", "light"), ("1", "2")


@dataclass(frozen=True)
class Shot:
    """A screenshot: its name and its preparation."""

    name: str
    prepare: Callable[[Session], QWidget]
    """Returns the widget to grab."""


def _scene(background: int, group: str = "", mode: ViewMode = ViewMode.COMPOSITE) -> Callable[[Session], QWidget]:
    def prepare(session: Session) -> QWidget:
        window = session.window
        tile = window.strip.model.tiles[window.strip.model.row_of(background) or 0]
        chosen = tile.settings(session.store.current.background, session.preferences.current.own_colour)
        session.store.edit("background", **dict(chosen))  # without the question before "none"
        _open_group(session, group)
        window.action_bar.set_mode(mode)
        return window

    return prepare


def _open_group(session: Session, name: str) -> None:
    """Open one group of the side panel, by its object name, alone; without a name, show what is simple."""
    session.preferences.change(all_settings=bool(name))
    for group in session.window.panel.groups:
        group.toggle.setChecked(group.toggle.objectName() == name)


def _plot(session: Session) -> QWidget:
    session.preferences.change(show_plot=True)
    return session.window


def _assistant(session: Session) -> QWidget:
    session.preferences.change(show_plot=False)
    session.window.open_assistant()
    assistant = session.window.findChild(Assistant)
    assert assistant is not None
    return assistant


def _without_figures(prepare: Callable[[Session], QWidget]) -> Callable[[Session], QWidget]:
    """Hide frame rate, delay and status line, which depend on the machine."""

    def calm(session: Session) -> QWidget:
        session.preferences.change(show_readout=False)
        status_line = session.window.findChild(QWidget, "statusLine")
        assert status_line is not None
        status_line.hide()
        return prepare(session)

    return calm


def _doctor(session: Session) -> QWidget:
    session.window.windows.open_doctor()
    doctor = session.window.findChild(DoctorDialog)
    assert doctor is not None
    loop = QEventLoop()
    doctor.findings.shown.connect(loop.quit)
    QTimer.singleShot(PATIENCE_MS, loop.quit)
    loop.exec()
    return doctor


def _close_up(session: Session) -> QWidget:
    session.store.edit("framing", zoom=1.6, pan_y=-0.6)
    return _scene(4)(session)


def _server(session: Session) -> QWidget:
    """Show a server that does not answer."""
    session.store.edit("framing", zoom=1.0, pan_y=0.0)
    session.store.edit("placement", **dict(IN_PLACE))
    window = _scene(1, "serverGroup")(session)
    session.store.edit("matting", location="remote", server="http://127.0.0.1:9")
    panel = session.window.panel
    QTimer.singleShot(SETTLE_MS, lambda: panel.page.scroll_to(panel.server))
    return window


def _presenter(session: Session) -> QWidget:
    """Present the bundled backgrounds as slides; show the controls for it and for the person's place."""
    window = _scene(1, "presentGroup")(session)
    session.store.edit("framing", zoom=1.0, pan_y=0.0)
    presenter = session.window.findChild(PresenterControls)
    assert presenter is not None
    presenter.present(assets_dir() / "backgrounds")
    session.store.edit("background", slide=3)
    QTimer.singleShot(SETTLE_MS, lambda: session.window.panel.page.scroll_to(presenter))
    return window


README = (Shot("window", _without_figures(_scene(4))),)


def _feature(feature: Feature) -> Callable[[Session], QWidget]:
    def prepare(session: Session) -> QWidget:
        window = session.window
        session.preferences.change(mirror_preview=False)  # texts are readable as in the output
        session.store.change(feature.settings)
        _open_group(session, "")
        control = window.panel.findChild(QWidget, feature.control) if feature.control else None
        if feature.control and control is None:
            raise SystemExit(f"There is no control {feature.control} in the side panel.")
        if control is not None:
            window.panel.reveal(control)
        return window

    return prepare


def _preferences(session: Session) -> QWidget:
    """Show autostart, tray and global shortcuts."""
    session.window.windows.open_preferences()
    dialog = session.window.findChild(PreferencesDialog)
    assert dialog is not None
    return dialog


FEATURE_SHOTS = (
    *(Shot(f"feature-{each.name}", _without_figures(_feature(each))) for each in FEATURES),
    Shot("feature-preferences", _preferences),
)
ALL = (
    Shot("simple", _scene(4)),
    Shot("quality", _scene(1, "qualityGroup")),
    Shot("output", _scene(1, "outputGroup")),
    Shot("expert", _scene(1, "expertGroup")),
    Shot("compare", _scene(2, mode=ViewMode.COMPARE)),
    Shot("plot", _plot),
    Shot("assistant", _assistant),
    Shot("doctor", _doctor),
    Shot("framing", _close_up),
    Shot("presenter", _presenter),
    Shot("server", _server),
)


def take(shots: Sequence[Shot], theme: str, language: str, folder: Path) -> None:
    """Run the window in this process and write FOLDER/NAME.png for each shot."""
    app = make_application()
    settings_path = Path(os.environ["MATTECAM_CONFIG_DIR"]) / "settings.json"
    save(settings_path.with_name("window.json"), WindowPreferences.model_validate(
        {"theme": theme, "first_run_done": True}))  # fmt: skip
    settings = Settings(
        capture=CaptureSettings(source="demo"),
        matting=MattingSettings(governor=False),  # keep full quality on a busy machine
        output=OutputSettings(virtual_camera="off"),
    )
    with translate(app, QLocale(language)):
        options = WindowOptions(seconds=3600, settings_path=settings_path)
        session = Session(app, settings, options, SingleInstance(), LogBuffer())
        session.window.resize(*SIZE)
        session.start()
        try:
            for shot in shots:
                widget = shot.prepare(session)
                _wait_for_frames(app, session)
                print(_save(widget, folder / shot.name, small=shot in FEATURE_SHOTS))
        finally:
            session.close()


def _save(widget: QWidget, path: Path, *, small: bool) -> Path:
    """Write PNG, or a small WebP; return the file."""
    png = path.with_suffix(".png")
    widget.grab().save(str(png))
    if not small:
        return png
    with Image.open(png) as image:
        width = min(SMALL_WIDTH, image.width)
        height = round(image.height * width / image.width)
        image.convert("RGB").resize((width, height)).save(path.with_suffix(".webp"), quality=QUALITY, method=6)
    png.unlink()
    return path.with_suffix(".webp")


def _wait_for_frames(app: QApplication, session: Session) -> None:
    loop = QEventLoop()
    wanted = session.bridge.status.frames_out + FRAMES

    def look(status: PipelineStatus) -> None:
        if status.frames_out >= wanted:
            QTimer.singleShot(SETTLE_MS, loop.quit)  # layout of the new texts

    session.bridge.status_changed.connect(look)
    QTimer.singleShot(PATIENCE_MS, lambda: loop.exit(1))
    if loop.exec() != 0:
        raise SystemExit(f"No picture came: {session.bridge.status.errors}")


def take_all(output: Path) -> None:
    """Take every theme, scale and language in separate processes; Qt reads the scale at its start."""
    for language in LANGUAGES:
        for theme in THEMES:
            for scale in SCALES:
                folder = output / f"{language}-{theme}-{scale}00"
                words = ["--theme", theme, "--language", language, "--set", "all", "--output", str(folder)]
                subprocess.run(
                    [sys.executable, "-m", "tools.screenshots", *words],
                    env={**os.environ, "QT_SCALE_FACTOR": scale},
                    cwd=ROOT,
                    check=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="every theme, scale and language")
    parser.add_argument("--set", choices=("readme", "features", "all"), default="readme", help="which pictures")
    parser.add_argument("--only", metavar="NAME", help="the picture of this name")
    parser.add_argument("--theme", choices=THEMES, default="dark")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images")
    chosen = parser.parse_args()
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if chosen.all:
        take_all(chosen.output)
        return
    chosen.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        for name in ("CONFIG", "DATA", "RUNTIME"):
            os.environ[f"MATTECAM_{name}_DIR"] = str(Path(home) / name.lower())
        sets = {"readme": README, "features": FEATURE_SHOTS, "all": ALL}
        shots = [shot for shot in sets[chosen.set] if chosen.only in (None, shot.name)]
        take(shots, chosen.theme, chosen.language, chosen.output)


if __name__ == "__main__":
    main()
