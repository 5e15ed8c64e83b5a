"""Rows of settings: each is declared once, with the setting that it shows and changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any

from annotated_types import MaxLen
from PyQt6.QtCore import QCoreApplication, QSignalBlocker, Qt
from PyQt6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QWidget

from app.config.setting import SETTINGS
from app.core.settings import Settings
from app.gui.dialogs.questions import UserFolder, ask_for_file
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import SteadyButton, button, check, combo, describe, fill_combo, label
from app.gui.widgets.folding import FoldingRow
from app.gui.widgets.page import field_row
from app.gui.widgets.qt import column
from app.gui.widgets.value_slider import STEPS, ValueSlider

translate = QCoreApplication.translate
Entries = list[tuple[str, object]]
"""(text, value of the setting)"""
FINE_RANGE = 10
"""Sliders of settings with a shorter range move in steps of a hundredth, others in steps of one."""


class Form(QWidget):
    """A column of controls. Each row shows its setting, such as `edges.contrast`, and changes it at once.

    A row may also show a section, such as `capture`; it says then what a
    choice does.
    """

    def __init__(self, store: SettingsStore, spacing: int = 12) -> None:
        super().__init__()
        self.store = store
        self._shows: list[Callable[[Settings], object]] = []
        self.column = column(self, spacing=spacing)
        store.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Show the settings in all rows, also after something else changed that the rows depend on."""
        for show in self._shows:
            show(self.store.current)

    def on_settings(self, show: Callable[[Settings], object]) -> None:
        """Call `show` with the settings, now and after each change."""
        self._shows.append(show)
        show(self.store.current)

    def enable_while(self, useful: Callable[[Settings], bool], *widgets: QWidget) -> None:
        """Enable widgets while the settings give them an effect."""
        for widget in widgets:
            self.on_settings(lambda settings, widget=widget: widget.setEnabled(useful(settings)))  # type: ignore[misc]

    def add(self, *widgets: QWidget) -> None:
        """Add widgets, one below the other; a link, whose focus is a line, is as wide as its text."""
        for widget in widgets:
            self.column.addWidget(widget)
            if isinstance(widget, SteadyButton):
                widget.wrap()
            if widget.property("link"):
                self.column.setAlignment(widget, Qt.AlignmentFlag.AlignLeft)

    def add_beside(self, *widgets: QWidget, grows: QWidget) -> None:
        """Add widgets beside each other, or below each other where that is too narrow for them.

        grows: takes the width that is left.
        """
        self.column.addLayout(FoldingRow(*widgets, grows=grows))

    def add_hint(self, text: str = "", object_name: str = "", role: str = "faint") -> QLabel:
        """Add a sentence, in faint letters unless it has another role. It takes no room until `say` gives it a text."""
        made = label(text, role, wrap=True)
        made.setObjectName(object_name)
        self.add(made)
        if not text:
            made.hide()
        return made

    def add_slider(
        self, setting: str, text: Callable[[int], str], name: str, description: str, object_name: str, *,
        sign: Callable[[], int] = lambda: 1,
    ) -> ValueSlider:  # fmt: skip
        """Add a slider over the range of the setting; where that has no value, it stays as it is.

        sign: -1 while the preview mirrors the direction.
        """
        low, high = SETTINGS[setting].range or (0, 1)
        per_unit = STEPS if high - low < FINE_RANGE else 1
        made = ValueSlider(round(low * per_unit), round(high * per_unit), text, name, description, object_name)
        made.value_changed.connect(
            lambda value: self.store.set(setting, sign() * value if per_unit == 1 else sign() * value / per_unit)
        )
        self._bind(
            made.slider, setting,
            lambda value: None if value is None else made.show_value(round(sign() * value * per_unit)),
        )  # fmt: skip
        self.add(made)
        return made

    def add_check(
        self, setting: str, text: str, description: str, object_name: str, *,
        change: Callable[[bool], object] | None = None, shows: Callable[[Any], bool] = bool,
    ) -> QCheckBox:  # fmt: skip
        """Add a check box. change: what it does in place of setting the value. shows: whether a value checks it."""
        made = check(text, description, object_name)
        made.toggled.connect(change or partial(self.store.set, setting))

        def show(value: object) -> None:
            with QSignalBlocker(made):
                made.setChecked(shows(value))

        self._bind(made, setting, show)
        self.add(made)
        return made

    def add_choice(
        self, setting: str, name: str, description: str, object_name: str, entries: Entries | Callable[[], Entries], *,
        choose: Callable[[Any], object] | None = None, shows: Callable[[Any], object] = lambda value: value,
        visible: bool = True,
    ) -> QComboBox:  # fmt: skip
        """Add a list below its caption. choose: what a choice does in place of setting the value. shows: returns the
        entry of a value. visible: False where the system has no use for it.
        """
        made = combo(name, description, object_name)
        choose = choose or partial(self.store.set, setting)
        made.activated.connect(lambda _row: choose(made.currentData()))
        self._bind(
            made, setting, lambda value: fill_combo(made, entries() if callable(entries) else entries, shows(value))
        )
        captioned = field_row(name, made)
        captioned.setHidden(not visible)
        self.add(captioned)
        return made

    def make_text(self, setting: str, name: str, description: str, object_name: str) -> QLineEdit:
        """Add a caption, and return its line of text, which takes effect while it is typed."""
        made = QLineEdit()
        limits = SETTINGS[setting].field.metadata
        made.setMaxLength(next(limit.max_length for limit in limits if isinstance(limit, MaxLen)))
        describe(made, name, description, object_name)
        made.textEdited.connect(partial(self.store.set, setting))
        self._bind(made, setting, partial(_set_text, made))
        caption = label(name, wrap=True)
        caption.setBuddy(made)
        self.add(caption)
        return made

    def add_link(
        self, text: str, description: str, object_name: str, act: Callable[[], object],
        useful: Callable[[Settings], bool] = lambda _settings: True,
    ) -> SteadyButton:  # fmt: skip
        """Add a link. useful: whether it would change anything."""
        made = button(text, description, object_name, act, link=True)
        self.on_settings(lambda settings: made.set_useful(useful(settings)))
        self.add(made)
        return made

    def make_file(
        self, setting: str, name: str, description: str, object_name: str, *,
        caption: str, name_filter: str,
    ) -> SteadyButton:  # fmt: skip
        """Return a button with a caption that asks for a picture."""
        return button(
            caption, description, object_name,
            lambda: ask_for_file(self, name, partial(self.store.set, setting), name_filter,
                                 folder=UserFolder.PicturesLocation),
            name=name,
        )  # fmt: skip

    def make_removal(self, setting: str, text: str, name: str, description: str, object_name: str) -> SteadyButton:
        """Return a link that unsets a file; hidden while there is none."""
        made = button(text, description, object_name, lambda: self.store.set(setting, None), name=name, link=True)
        self._bind(made, setting, lambda path: made.setVisible(path is not None))
        return made

    def _bind(self, control: QWidget, setting: str, show: Callable[[Any], object]) -> None:
        control.setProperty("setting", setting)
        of = SETTINGS[setting].value_in if setting in SETTINGS else attrgetter(setting)
        self.on_settings(lambda settings: show(of(settings)))


def say(shown: QLabel, text: str) -> None:
    """Show a text, or no line where it is empty."""
    shown.setText(text)
    shown.setVisible(bool(text))


def _set_text(line: QLineEdit, text: str) -> None:
    if line.text() != text:
        line.setText(text)
