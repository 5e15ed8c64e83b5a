"""Rows of settings: the declaration of a setting decides what shows and changes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

from annotated_types import MaxLen
from PyQt6.QtCore import QSignalBlocker, QSize, Qt
from PyQt6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QWidget

from app.config.setting import SETTINGS, Setting
from app.effects import table
from app.gui.questions import UserFolder, ask_for_file
from app.gui.state import SettingsStore
from app.gui.translation import tr, translated
from app.gui.widgets.controls import (
    SCALES,
    ValueSlider,
    WrappingButton,
    button,
    check,
    combo,
    describe,
    fill_combo,
    label,
    on_button,
)
from app.gui.widgets.page import FoldingRow
from app.gui.widgets.qt import column, longest_word, scaled
from app.settings import Settings

# (text, value of the setting)
Entries = list[tuple[str, object]]
Change = Callable[[Any], object]
# Width of the titles, in the usual font.
CAPTION_PX = 108
IMAGES = "*.png *.jpg *.jpeg *.webp *.bmp"


class Caption(QLabel):
    """The title of a row.

    All are equally wide, so that the controls beside them are in line; long ones wrap.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setWordWrap(True)

    def sizeHint(self) -> QSize:
        width = max(scaled(CAPTION_PX, self), longest_word(self.text(), self.fontMetrics()))
        return QSize(width, self.heightForWidth(width))


class Form(QWidget):
    """Rows of a title beside its control, or above it where the form is too narrow for both.

    Each row shows a setting, such as `edges.contrast`, and changes it at once; its control has the
    name of the setting.
    """

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self.store = store
        self._shows: list[Callable[[Settings], object]] = []
        # By the control that each is the title of.
        self._captions: dict[QWidget, Caption] = {}
        self._column = column(self, spacing=10)
        store.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Show the settings in all rows, also after something else that rows depend on changed."""
        for show in self._shows:
            show(self.store.current)

    def on_settings(self, show: Callable[[Settings], object]) -> None:
        """Call `show` with the settings, now and after each change."""
        self._shows.append(show)
        show(self.store.current)

    def enable_while(self, useful: Callable[[Settings], bool], *controls: QWidget) -> None:
        """Enable rows while the settings give them an effect."""
        parts = self._with_captions(controls)

        def show(settings: Settings) -> None:
            for part in parts:
                part.setEnabled(useful(settings))

        self.on_settings(show)

    def only_with_all_settings(self, *controls: QWidget) -> None:
        """Show rows only beside all the others, as few people need them."""
        parts = self._with_captions(controls)

        def show(settings: Settings) -> None:
            for part in parts:
                part.setVisible(settings.window.all_settings)

        self.on_settings(show)

    def _with_captions(self, controls: Sequence[QWidget]) -> list[QWidget]:
        captions = [self._captions[each] for each in controls if each in self._captions]
        return [*controls, *captions]

    def add(self, *widgets: QWidget) -> None:
        """Add widgets without a title; a link, whose focus is a line, is as wide as its text."""
        for widget in widgets:
            self._column.addWidget(widget)
            if isinstance(widget, WrappingButton):
                widget.wrap()
            if widget.property("link"):
                self._column.setAlignment(widget, Qt.AlignmentFlag.AlignLeft)

    def add_row(self, title: str, control: QWidget, buddy: QWidget | None = None) -> None:
        """Add a control with a title. buddy: the part of it that the title names."""
        caption = self._captions[control] = Caption(title)
        caption.setBuddy(buddy or control)
        self._column.addLayout(FoldingRow(caption, control, grows=control, spacing=12))

    def add_hint(self, text: str = "", object_name: str = "", role: str = "faint") -> QLabel:
        """Add a sentence, in faint letters unless it has another role.

        It takes no room until `say` gives it a text.
        """
        made = label(text, role, wrap=True)
        made.setObjectName(object_name)
        self.add(made)
        if not text:
            made.hide()
        return made

    def add_link(
        self,
        text: str,
        description: str,
        object_name: str,
        act: Callable[[], object],
        useful: Callable[[Settings], bool] = lambda _settings: True,
    ) -> WrappingButton:
        """Add a link. useful: whether it would change anything."""
        made = button(text, description, object_name, act, link=True)
        self.on_settings(lambda settings: made.setEnabled(useful(settings)))
        self.add(made)
        return made

    def row(
        self,
        setting: str,
        entries: Entries | Callable[[], Entries] | None = None,
        *,
        change: Change | None = None,
        sign: Callable[[], int] = lambda: 1,
    ) -> QWidget:
        """Add the row of a setting, which shows and changes it.

        It is a list of `entries` or of the choices, a check box, a slider, a text or a picture.
        change: what a choice or a check does in place of setting the value.
        sign: -1 while the preview mirrors the direction of a slider.
        """
        declared = SETTINGS[setting]
        change = change or partial(self.store.set, setting)
        # Of a choice that may be unset, `bool | None`, too.
        is_switch = bool in (declared.annotation, *get_args(declared.annotation))
        if entries is None and is_switch:
            return self.add_check(setting, *_words(declared), change)
        if entries is not None or declared.choices:
            return self.add_list(setting, entries or choices_of(declared), change)
        if declared.range is not None:
            return self.add_slider(setting, sign)
        if declared.is_path:
            return self._add_picture(declared)
        return self._add_text(declared)

    def rows(self, *settings: str) -> list[QWidget]:
        """Add the rows of some settings."""
        return [self.row(setting) for setting in settings]

    def add_effects(self, section: str) -> None:
        """Add the rows of the effects whose settings are in this section, as they are declared."""
        of_effects: set[str] = set()
        for effect in table.EFFECTS:
            of_effects.update(effect.titled())
        for name in SETTINGS:
            if name in of_effects and name.startswith(f"{section}."):
                self.row(name)

    def add_check(
        self,
        setting: str,
        title: str,
        tip: str,
        change: Change,
        shows: Callable[[Any], bool] = bool,
        name: str = "",
    ) -> QCheckBox:
        """Add a check box.

        shows: whether a value checks it.
        name: of the control, if it is not that of the setting.
        """
        made = check(title, tip, name or setting)
        made.toggled.connect(change)

        def show(value: object) -> None:
            with QSignalBlocker(made):
                made.setChecked(shows(value))

        self._bind(made, setting, show)
        self.add(made)
        return made

    def add_list(
        self,
        setting: str,
        entries: Entries | Callable[[], Entries],
        change: Change,
        shows: Callable[[Any], object] = lambda value: value,
    ) -> QComboBox:
        """Add a list. shows: returns the entry of a value."""
        title, tip = _words(SETTINGS[setting])
        made = combo(title, tip, setting)
        made.activated.connect(lambda _row: change(made.currentData()))

        def show(value: object) -> None:
            listed = entries() if callable(entries) else entries
            fill_combo(made, listed, shows(value))

        self._bind(made, setting, show)
        self.add_row(title, made)
        return made

    def add_slider(
        self,
        setting: str,
        sign: Callable[[], int] = lambda: 1,
        name: str = "",
    ) -> ValueSlider:
        """Add a slider over the range of a setting; where that has no value, it stays as it is.

        sign: see `row`. name: of the control, if it is not that of the setting.
        """
        declared = SETTINGS[setting]
        if declared.range is None or declared.unit is None:
            raise ValueError(f"A slider needs low, high and unit in the declaration of {setting}.")
        low, high = declared.range
        scale = SCALES[declared.unit]

        def change(position: int) -> None:
            # A setting of whole numbers takes no 4.0.
            value = position if scale.steps == 1 else position / scale.steps
            self.store.set(setting, sign() * value)

        def show(value: float | None) -> None:
            if value is not None:
                made.show_value(round(sign() * value * scale.steps))

        title, tip = _words(declared)
        least = round(low * scale.steps)
        most = round(high * scale.steps)
        made = ValueSlider(least, most, scale.text, title, tip, name or setting)
        made.value_changed.connect(change)
        self._bind(made.slider, setting, show)
        self.add_row(title, made, made.slider)
        return made

    def _add_text(self, declared: Setting) -> QLineEdit:
        """Add a line of text, which takes effect while it is typed."""
        made = QLineEdit()
        limits = [limit for limit in declared.field.metadata if isinstance(limit, MaxLen)]
        made.setMaxLength(limits[0].max_length)
        title, tip = _words(declared)
        describe(made, title, tip, declared.name)
        made.textEdited.connect(partial(self.store.set, declared.name))

        def show(text: str) -> None:
            # Setting a text moves the cursor to its end, also while the user types.
            if made.text() != text:
                made.setText(text)

        self._bind(made, declared.name, show)
        self.add_row(title, made)
        return made

    def _add_picture(self, declared: Setting) -> QWidget:
        """Add a button that names the chosen picture, and a link that removes it."""
        title, tip = _words(declared)
        caption = tr("Choose image…")
        pictures = tr("Images ({0})").format(IMAGES)
        take = partial(self.store.set, declared.name)
        made = button(
            caption,
            tip,
            declared.name,
            lambda: ask_for_file(self, title, take, pictures, folder=UserFolder.PicturesLocation),
            name=title,
        )

        def show(path: Path | None) -> None:
            made.setText(caption if path is None else on_button(path.name))

        self._bind(made, declared.name, show)
        removal = self.make_removal(declared.name, tr("Remove image"), tr("Use no image"))
        whole = QWidget()
        whole.setLayout(FoldingRow(made, removal, grows=made))
        self.add_row(title, whole, made)
        return made

    def make_removal(self, setting: str, text: str, tip: str) -> WrappingButton:
        """Return a link that unsets a file; hidden while there is none."""
        made = button(
            text,
            tip,
            f"{setting} removal",
            partial(self.store.set, setting, None),
            link=True,
        )
        self._bind(made, setting, lambda path: made.setVisible(path is not None))
        return made

    def _bind(self, control: QWidget, setting: str, show: Callable[[Any], object]) -> None:
        control.setProperty("setting", setting)
        value_in = SETTINGS[setting].value_in
        self.on_settings(lambda settings: show(value_in(settings)))


def _words(declared: Setting) -> tuple[str, str]:
    """Return title and tool tip of the row of a setting."""
    return translated(declared.title), translated(declared.description).removesuffix(".")


def choices_of(setting: Setting) -> Entries:
    """Return the entries of a setting that has a few values."""
    names: dict[object, str] = {
        "auto": tr("Automatic"),
        "system": tr("System"),
        "light": tr("Light", "not dark"),
        "dark": tr("Dark"),
        "en": "English",
        "de": "Deutsch",
        "es": "Español",
        "on": tr("On"),
        "off": tr("Off"),
        "calm": tr("Calm"),
        "close": tr("Near"),
        "balanced": tr("Balanced"),
        "bgra": tr("In the PipeWire camera (BGRA)"),
        "deep-guided-filter": tr("Deep guided filter"),
        "fast-guided-filter": tr("Fast guided filter"),
        "eager": "PyTorch",
        "openvino": "OpenVINO",
        "v4l2": "V4L2",
        "bt601": "BT.601",
        "bt601-full": tr("BT.601, full range"),
        "bt709": "BT.709",
        "bt709-full": tr("BT.709, full range"),
        0: tr("Not turned"),
        90: tr("90° to the right"),
        180: "180°",
        270: tr("90° to the left"),
    }
    return [(names.get(value, str(value)), value) for value in get_args(setting.annotation)]


def say(shown: QLabel, text: str) -> None:
    """Show a text, or no line where it is empty."""
    shown.setText(text)
    shown.setVisible(bool(text))
