"""Plot, preferences, shortcuts, and about."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QAction, QShortcut
from PyQt6.QtWidgets import QApplication, QCheckBox, QLabel, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app import __version__
from app.core.messages.system import ShortcutText
from app.core.stage import Stage
from app.core.window_settings import WindowSettings
from app.gui.dialogs.plain_dialogs import PreferencesDialog, ShortcutsDialog
from app.gui.preview.qimage import from_qimage
from app.gui.shell.application import Session, WindowOptions, run_window
from app.gui.widgets import plot_panel, theme
from app.gui.widgets.controls import label
from app.gui.widgets.plot_panel import GAP_PX, HEIGHT_PX, LEAST_HEIGHT_PX, PlotPanel, round_up
from app.runtime.status import PipelineStatus, Problem
from app.system import autostart
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET
from tests.gui.widgets import find


def coloured(plot: PlotPanel) -> NDArray[np.bool_]:
    """Return which pixels of a plot are of a curve, or of its name in the legend: all others are grey."""
    pixels = from_qimage(plot.grab().toImage()).astype(int)
    return np.asarray(pixels.max(axis=2) - pixels.min(axis=2) > 90)


@pytest.fixture
def plot(qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> PlotPanel:
    """A plot of 50 fps at first, and of 25 fps for the last half minute; the latency is 0."""
    theme.apply(qapp, dark=True)
    made, now_s = PlotPanel(), 0
    qtbot.addWidget(made)
    monkeypatch.setattr(plot_panel, "time", SimpleNamespace(monotonic=lambda: now_s))
    for now_s in range(0, 301, 10):
        made.show_status(PipelineStatus(fps_out=50.0 if now_s < 270 else 25.0))
    return made


@pytest.mark.parametrize(("width", "has_legend"), [(400, False), (1200, True)])
def test_the_plots_show_the_last_minute_and_a_legend_where_it_fits(
    plot: PlotPanel, width: int, has_legend: bool
) -> None:
    plot.resize(width, HEIGHT_PX)
    curve = coloured(plot)
    assert curve[: HEIGHT_PX // 4].any() == has_legend
    curve[: HEIGHT_PX // 4] = False
    columns = np.flatnonzero(curve[:, : width // 2 - GAP_PX].any(axis=0))
    assert columns[0] < 40 and columns[-1] > width // 2 - 30
    first, last = (float(np.flatnonzero(curve[:, column]).mean()) for column in (columns[5], columns[-5]))
    bottom = np.flatnonzero(curve[:, -20]).mean()
    assert bottom - first == pytest.approx(2 * (bottom - last), abs=2), "50 and 25 fps above 0 ms"


def test_the_curves_keep_most_of_a_low_plot(plot: PlotPanel) -> None:
    plot.resize(440, LEAST_HEIGHT_PX)
    rows = np.flatnonzero(coloured(plot).any(axis=1))
    assert rows[-1] - rows[0] > (LEAST_HEIGHT_PX - GAP_PX) / 3, "from 50 fps to 0 ms"
    plot.resize(440, LEAST_HEIGHT_PX - 1)
    assert not coloured(plot).any(), "unreadable"


@given(st.floats(1e-3, 1e9))
def test_plot_scale_is_rounded_up(value: float) -> None:
    top = round_up(value)
    assert value <= top < 2.6 * value
    assert f"{top:.0e}"[0] in "125"


def test_the_next_start_uses_the_chosen_language(
    qtbot: QtBot, world: FakeWorld, machine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = QUIET.replace(window=WindowSettings(first_run_done=True, language="es"))
    seen: list[str] = []
    QTimer.singleShot(
        0, lambda: seen.extend(b.text() for w in QApplication.topLevelWidgets() for b in w.findChildren(QPushButton))
    )
    assert run_window(settings, WindowOptions(seconds=0.1, parts=world.parts())) == 0
    assert "Congelar" in seen or "Resultado" in seen


def test_the_shortcuts_of_all_menus_are_listed_without_wrapping(session: Session, qtbot: QtBot) -> None:
    session.window.windows.open_shortcuts()
    dialog = find(session.window, ShortcutsDialog)
    texts = [found.text() for found in dialog.findChildren(QLabel)]
    for text, keys in (("Pause", "P"), ("Quit", "Ctrl+Q"), ("Result", "Alt+1")):
        assert texts[texts.index(text) + 1] == keys
    headings = [texts.index(menu) for menu in ("Program", "View", "Background", "Scenes", "Help", "More")]
    assert headings == sorted(headings)
    assert texts.index("Background") < texts.index("Add…") < texts.index("Scenes"), "the menu tells what is added"

    def single_lines() -> bool:
        text = next(found for found in dialog.findChildren(QLabel) if found.text() == "Show frame rate and delay")
        return text.width() >= 250 and text.height() < 2 * text.fontMetrics().lineSpacing() + 8

    qtbot.waitUntil(single_lines)
    dialog.close()


def test_about_names_the_version_and_the_server_that_gets_frames(session: Session) -> None:
    session.window.windows.open_about()
    about = find(session.window, QMessageBox, "aboutBox")
    assert __version__ in about.text()
    assert re.search(r"^PyQt6 [\d.]+: GPL", about.detailedText(), re.MULTILINE)
    assert "stays on this computer unless you connect a matting server" in about.informativeText()
    about.close()
    session.store.edit("matting", location="remote", server="https://matting.example:8765")
    session.window.windows.open_about()
    about = session.window.findChildren(QMessageBox, "aboutBox")[-1]
    assert "are sent to https://matting.example:8765" in about.informativeText()
    assert "stays on this computer" not in about.informativeText()
    about.close()


def test_the_preferences_switch_the_autostart_and_say_what_fails(
    controls: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notice about global shortcuts lay behind the dialog, while the box was checked."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    dialog = PreferencesDialog(controls.store, controls.bridge, controls.window)
    dialog.show()

    def said() -> list[str]:
        return [label.text() for label in dialog.findChildren(QLabel) if label.isVisible()]

    box = find(dialog, QCheckBox, "autostartCheck")
    assert not box.isChecked()
    box.click()
    assert autostart.enabled() and box.isChecked()
    box.click()
    assert not autostart.enabled() and not box.isChecked()
    (tmp_path / "autostart").rmdir()
    (tmp_path / "autostart").write_text("a file in place of the folder")
    box.click()
    assert not box.isChecked()
    assert any("cannot be changed" in text for text in said())
    missing = ShortcutText.NO_PORTAL()
    for problems in ((Problem(Stage.SHORTCUTS, missing, 0.0),), ()):
        controls.bridge.status_changed.emit(PipelineStatus(problems=problems))
        assert (missing in said()) is bool(problems)
    dialog.close()


def test_a_key_that_is_held_acts_once_but_turns_pages(session: Session) -> None:
    """Who held P a little too long paused and resumed many times a second."""
    actions, shortcuts = session.window.findChildren(QAction), session.window.findChildren(QShortcut)
    keys = {each.shortcut().toString() for each in actions if each.autoRepeat()}
    keys |= {each.key().toString() for each in shortcuts if each.autoRepeat()}
    assert len(shortcuts) > 10 and keys - {""} == {"PgDown", "PgUp"}


def test_a_name_that_looks_like_html_is_shown_as_it_is(session: Session, qtbot: QtBot) -> None:
    """The question showed a bold name without its marks."""
    session.window.scenes.ask_before_removal("<b>WWWWWWW</b>")
    box, hint = find(session.window, QMessageBox, "deletionQuestion"), label("<i>WWWWWWW</i>")
    qtbot.addWidget(hint)
    for shown in (find(box, QLabel, "qt_msgbox_label"), hint):
        assert shown.sizeHint().width() >= shown.fontMetrics().horizontalAdvance(shown.text())
    box.close()
