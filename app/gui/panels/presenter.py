"""Presenter mode: slides or a screen as background, with the person small in a corner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyQt6.QtCore import QEvent, QObject, QSignalBlocker
from PyQt6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.placement import IN_PLACE, in_corner
from app.core.settings import BackgroundSettings, Settings
from app.gui.dialogs.questions import UserFolder, ask_for_file, ask_for_folder
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button, combo, describe, fill_combo, label, link_button
from app.gui.widgets.page import field_row
from app.system.screen import asks_for_screens, screen_count, window_titles

PRESENTED = ("slides", "screen")


class PresenterControls(QWidget):
    """Chooses what is presented. Ending it returns to the previous background."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        self._before = BackgroundSettings()
        self._pdf, self._folder = button(self.tr("PDF file…")), button(self.tr("Folder…"))
        describe(self._pdf, self.tr("Present a PDF file"), self.tr("Shows its pages behind you"), "presentPdf")
        describe(
            self._folder, self.tr("Present a folder"), self.tr("Shows the images of a folder behind you"),
            "presentFolder",
        )  # fmt: skip
        self._screen = combo(
            self.tr("Screen"), self.tr("Shows a screen or a window behind you, with all that covers it"), "screenCombo"
        )
        self._end = link_button(self.tr("End the presentation"))
        describe(self._end, self.tr("End the presentation"), self.tr("Return to the previous background"), "presentEnd")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._pdf)
        row.addWidget(self._folder)
        hint = label(
            self.tr("Everyone in the call sees the presentation. Press Page Up or Page Down to change slides."),
            "faint", wrap=True,
        )  # fmt: skip
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(row)
        column.addWidget(field_row(self.tr("Screen"), self._screen))
        column.addWidget(hint)
        column.addWidget(self._end)
        self._screen.installEventFilter(self)
        self._screen.activated.connect(lambda _row: self._present_screen(self._screen.currentData()))
        self._pdf.clicked.connect(self._ask_for_pdf)
        self._folder.clicked.connect(self._ask_for_folder)
        self._end.clicked.connect(self._stop)
        store.changed.connect(self._show)
        self._show(store.current)

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:
        """List the screens and windows anew before the list opens."""
        if event is not None and event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress):
            self._list_screens()
        return False

    def present(self, path: Path) -> None:
        """Show slides behind the person."""
        self._begin({**dict(self._store.current.background.with_file("slides", path)), "fit": "fit"})

    def _present_screen(self, target: str | None) -> None:
        if target is None:
            self._stop()
        else:
            self._begin({"kind": "screen", "screen": target, "fit": "fit", "zoom": 1, "pan_x": 0, "pan_y": 0})

    def _begin(self, changes: dict[str, Any]) -> None:
        current = self._store.current.background
        if current.kind not in PRESENTED:
            self._before = current

        def update(now: Settings) -> Settings:
            corner = in_corner("bottom-right") if now.placement == IN_PLACE else now.placement
            return now.replace(background=now.background.replace(**changes), placement=corner)

        self._store.change(update)

    def _stop(self) -> None:
        def update(now: Settings) -> Settings:
            if now.background.kind not in PRESENTED:
                return now
            # "none" shows the room, so that it is only ever chosen by its own tile
            before = self._before.replace(kind="blur") if self._before.kind == "none" else self._before
            return now.replace(background=before, placement=IN_PLACE)

        self._store.change(update)

    def _ask_for_pdf(self) -> None:
        name_filter = self.tr("PDF files ({0})").format("*.pdf")
        ask_for_file(self, self.tr("Present a PDF file"), self.present, name_filter, folder=UserFolder.DOCUMENTS)

    def _ask_for_folder(self) -> None:
        ask_for_folder(self, self.tr("Present a folder"), self.present, UserFolder.PICTURES.path)

    def _list_screens(self) -> None:
        background = self._store.current.background
        entries: list[tuple[str, object]] = [(self.tr("Off"), None)]
        if asks_for_screens():
            entries.append((self.tr("Screen (your desktop asks which one)"), "screen:1"))
            entries.append((self.tr("Window (your desktop asks which one)"), "window:*"))
        entries += [
            (self.tr("Screen {0}").format(number), f"screen:{number}") for number in range(1, screen_count() + 1)
        ]
        entries += [(title, f"window:{title}") for title in window_titles() if len(title) <= 200]
        self._fill(entries, background)

    def _fill(self, entries: list[tuple[str, object]], background: BackgroundSettings) -> None:
        chosen = background.screen if background.kind == "screen" else None
        if chosen not in (data for _text, data in entries):
            entries = [*entries, (str(chosen), chosen)]
        with QSignalBlocker(self._screen):
            fill_combo(self._screen, entries, chosen)

    def _show(self, settings: Settings) -> None:
        box = self._screen
        listed: list[tuple[str, object]] = [(box.itemText(row), box.itemData(row)) for row in range(box.count())]
        self._fill(listed or [(self.tr("Off"), None)], settings.background)
        self._end.set_useful(settings.background.kind in PRESENTED)
