"""Take screenshots of the window over a running pipeline.

    python -m tools.screenshots                        those of the documents, written to
    docs/images python -m tools.screenshots --all --output FOLDER  every theme, size, scale and
    language, for review

Without a display it renders offscreen. The best installed model is used (`run.py weights list`).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QEventLoop, QTimer
from PyQt6.QtWidgets import QApplication

from app.core.settings import CaptureSettings, MattingSettings, OutputSettings, WindowSettings
from app.gui.application import Session, WindowOptions, make_application
from app.runtime.status import PipelineStatus
from app.settings import Settings
from tools.window_shots import ALL, DOCUMENTS, PATIENCE_MS, SETTLE_MS, Shot

ROOT = Path(__file__).resolve().parent.parent
FRAMES = 12
SIZE = (1280, 840)
LANGUAGES, THEMES = ("en", "de", "es"), ("dark", "light")
REVIEWED = {"1": ((1024, 700), (1366, 768), (1600, 1000)), "2": ((800, 500),)}
"""Sizes of the window for review, by scale."""


def take(
    shots: Sequence[Shot],
    theme: str,
    language: str,
    folder: Path,
    sizes: Sequence[tuple[int, int]] = (SIZE,),
) -> None:
    """Run the window in this process and write FOLDER/NAME.png for each shot, with the width where
    it has several.
    """
    app = make_application()
    settings_path = Path(os.environ["MATTECAM_CONFIG_DIR"]) / "settings.json"
    settings = Settings(
        capture=CaptureSettings(source="demo"),
        matting=MattingSettings(governor=False),  # keep full quality on a busy machine
        output=OutputSettings(virtual_camera="off"),
        window=WindowSettings.model_validate(
            {"theme": theme, "language": language, "first_run_done": True}
        ),
    )
    options = WindowOptions(seconds=3600, settings_path=settings_path)
    session = Session(app, settings, options)
    session.window.resize(*sizes[0])
    session.start()
    try:
        for shot in shots:
            widget = shot.prepare(session)
            for size in sizes if widget is session.window else sizes[:1]:
                session.window.resize(*size)
                _wait_for_frames(app, session)
                name = shot.name if len(sizes) == 1 else f"{shot.name}-{widget.width()}"
                png = folder / f"{name}.png"
                widget.grab().save(str(png))
                print(png)
            if widget is not session.window:
                widget.close()
    finally:
        session.close()


def _wait_for_frames(app: QApplication, session: Session) -> None:
    loop = QEventLoop()
    wanted = session.bridge.status.frames_out + FRAMES

    def look(status: PipelineStatus) -> None:
        if status.frames_out >= wanted:
            QTimer.singleShot(SETTLE_MS, loop.quit)  # layout of the new texts

    session.bridge.status_changed.connect(look)
    if session.store.current.paused:  # the stand-by card counts no frames
        QTimer.singleShot(10 * SETTLE_MS, loop.quit)
    QTimer.singleShot(PATIENCE_MS, lambda: loop.exit(1))
    if loop.exec() != 0:
        raise SystemExit(f"No picture came: {session.bridge.status.errors}")


def take_all(output: Path, languages: Sequence[str], themes: Sequence[str]) -> None:
    """Take every scale, language and theme in separate processes; Qt reads the scale at its start."""
    for language in languages:
        for theme in themes:
            for scale, sizes in REVIEWED.items():
                folder = output / f"{language}-{theme}-{scale}00"
                words = [
                    "--theme",
                    theme,
                    "--language",
                    language,
                    "--set",
                    "all",
                    "--output",
                    str(folder),
                ]
                words += [
                    word for width, height in sizes for word in ("--size", f"{width}x{height}")
                ]
                subprocess.run(
                    [sys.executable, "-m", "tools.screenshots", *words],
                    env={**os.environ, "QT_SCALE_FACTOR": scale},
                    cwd=ROOT,
                    check=True,
                )


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--all", action="store_true", help="every size and scale, theme and language"
    )
    parser.add_argument(
        "--set", choices=("documents", "all"), default="documents", help="which pictures"
    )
    parser.add_argument("--only", metavar="NAME", help="the picture of this name")
    parser.add_argument("--theme", choices=THEMES, help="dark by default; of --all both")
    parser.add_argument("--language", choices=LANGUAGES, help="en by default; of --all every one")
    parser.add_argument(
        "--size", type=_size, action="append", metavar="WxH", help="of the window; can be repeated"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images")
    chosen = parser.parse_args()
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if chosen.all:
        languages = (chosen.language,) if chosen.language else LANGUAGES
        take_all(chosen.output, languages, (chosen.theme,) if chosen.theme else THEMES)
        return
    chosen.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        for name in ("CONFIG", "DATA", "RUNTIME"):
            os.environ[f"MATTECAM_{name}_DIR"] = str(Path(home) / name.lower())
        sets = {"documents": DOCUMENTS, "all": ALL}
        shots = [shot for shot in sets[chosen.set] if chosen.only in (None, shot.name)]
        take(
            shots,
            chosen.theme or "dark",
            chosen.language or "en",
            chosen.output,
            chosen.size or (SIZE,),
        )


if __name__ == "__main__":
    main()
