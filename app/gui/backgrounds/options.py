"""The line above the tiles: options of the background in use, and buttons that show and add backgrounds."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QColor, QHideEvent
from PyQt6.QtWidgets import QColorDialog, QComboBox, QPushButton, QSizePolicy, QStackedWidget, QWidget

from app.config.parsing import GREEN
from app.core.settings import HIDES_TEXT, Settings, StrictLevel, shown_strength
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import ValueSlider, button, combo, describe, fill_combo, label, percent
from app.gui.widgets.qt import AfterLayout, keep_focus, row, was_hidden, width_of


class BackgroundOptions(QStackedWidget):
    """Shows the options of the current kind of background."""

    def __init__(self, store: SettingsStore, choose_colour: Callable[[], None]) -> None:
        super().__init__()
        self._store = store
        self._blur = ValueSlider(0, 100, percent, self.tr("Blur strength"), "", "blurSlider")
        self._blur.setMaximumWidth(340)
        self._blur.value_changed.connect(lambda value: store.edit("background", blur_strength=value))
        self._fit = combo(self.tr("Fit"), self.tr("How the image is fitted to the frame"), "fitCombo")
        fit_caption = label(self._fit.accessibleName(), "faint", wrap=True)
        fit_caption.setBuddy(self._fit)
        self._fit.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._fit.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._fit.setMinimumContentsLength(5)
        self._fit.activated.connect(lambda _row: store.edit("background", fit=self._fit.currentData()))
        colour = button(self.tr("Choose colour…"), self.tr("Colour of the background"), "colourButton", choose_colour,
                        name=self.tr("Choose colour"))  # fmt: skip
        warning = label(self.tr("Shows your real background."), "warning", wrap=True)
        warning.setObjectName("unmattedWarning")
        self.addWidget(_page(self._blur, self.tr("Blur strength"), wide=True))
        fitting = QWidget()
        fit = row(fitting, fit_caption, self._fit, grows=self._fit, spacing=8)
        fit.addStretch(0)  # otherwise the list is centred where there is more room than it takes
        self.addWidget(_page(fitting, wide=True))
        self.addWidget(_page(colour))
        self.addWidget(_page(warning, wide=True))
        self.addWidget(QWidget())
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        store.changed.connect(self._show)
        self._show(store.current)

    @property
    def needed_width(self) -> int:
        """The width in which no text of the options wraps or ends in an ellipsis; a slider may be short."""
        page = self.currentWidget()
        return 0 if page is None else page.sizeHint().width()

    def _show(self, settings: Settings) -> None:
        background = settings.background
        self._show_blur(settings.shown_blur, settings.matting.edges.strict)
        fill_combo(self._fit, [(self.tr("Fill the frame"), "fill"), (self.tr("Show the whole image"), "fit")],
                   background.fit)  # fmt: skip
        green = background.colour.lower() == GREEN
        pages = {"blur": 0, "colour": 4 if green else 2, "none": 3}
        page = pages.get(background.kind, 1)
        if page != self.currentIndex():
            with keep_focus(self.currentWidget() or self):
                self.setCurrentIndex(page)

    def _show_blur(self, strength: float, level: StrictLevel) -> None:
        """Show the strength, and mark from where on text is hidden, unless every strength hides it."""
        slider, may_show_text = self._blur.slider, level == "off"
        self._blur.set_least(round(shown_strength(0, level)))
        slider.set_mark(round(HIDES_TEXT) if may_show_text else None)
        marked = self.tr("How strongly the real background is blurred; from the mark on, text is unreadable")
        unmarked = self.tr("How strongly the real background is blurred; text is unreadable at every strength")
        describe(slider, slider.accessibleName(), marked if may_show_text else unmarked)
        self._blur.show_value(round(strength))


def _page(widget: QWidget, caption: str = "", *, wide: bool = False) -> QWidget:
    page = QWidget()
    line = row(page, spacing=8)
    if caption:
        text = label(caption, "faint", wrap=True)
        text.setBuddy(widget)
        line.addWidget(text)
    line.addWidget(widget, 2 if wide else 0)
    line.addStretch(0 if wide else 1)
    return page


GAP = 10


class StripHeader(QWidget):
    """Leaves out the text of "Add…" where the options of the background need the room."""

    def __init__(self, options: BackgroundOptions, show_all: QPushButton, add: QPushButton) -> None:
        super().__init__()
        self._options, self._all, self._add = options, show_all, add
        self._text = add.text()
        AfterLayout(self, self.fit)
        row(self, options, show_all, add, grows=options, spacing=GAP)

    @property
    def _icons_width(self) -> int:
        """Width of both buttons without a text, and the gaps before them."""
        return 2 * (self._all.sizeHint().width() + GAP)

    def minimumSizeHint(self) -> QSize:
        """The size without the text of "Add…", whether it is shown or not."""
        return QSize(self._options.minimumSizeHint().width() + self._icons_width, super().minimumSizeHint().height())

    def fit(self) -> None:
        """Show or leave out the text."""
        needed = self._options.needed_width + self._icons_width + width_of(self._text, self._add.fontMetrics())
        text = self._text if needed <= self.width() else ""
        if text != self._add.text():
            self._add.setText(text)


class ColourDialog(QColorDialog):
    """The colour is in use while it is picked; unless it is confirmed, it is out of use when the dialog goes."""

    def __init__(self, store: SettingsStore, colour: str, parent: QWidget) -> None:
        """colour: the one to begin with."""
        super().__init__(QColor(colour), parent)
        self._store, self._before, self._own = store, store.current.background, store.current.window.own_colour
        self._undo = store.undo()
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.currentColorChanged.connect(self._use)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Take back what is not confirmed, also where the window goes with the dialog; never show the room for that."""
        super().hideEvent(event)
        if not was_hidden(event) or self.selectedColor().isValid():
            return
        self._store.set("window.own_colour", self._own)
        now = self._store.current.background
        if (now.kind, now.colour) != ("colour", self.currentColor().name()):  # another one was chosen meanwhile
            return
        if self._before.kind == "none":
            self._store.edit("background", colour=self._own)
        else:
            self._undo(lambda now: now.replace(background=self._before))

    def _use(self, colour: QColor) -> None:
        self._store.set("window.own_colour", colour.name())
        self._store.edit("background", kind="colour", colour=colour.name())
