"""Presenter mode: slides or a screen as background, with the person small in a corner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyQt6.QtCore import QEvent, QObject

from app.core.files.names import exists
from app.core.framing import IN_PLACE, in_corner
from app.core.settings import BackgroundSettings, Settings
from app.gui.dialogs.questions import UserFolder, ask_for_file, ask_for_folder, path_of
from app.gui.panels.form import Entries, Form
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button
from app.system.screen import asks_for_screens, screen_count, window_titles

PRESENTED = ("slides", "screen")


class PresenterControls(Form):
    """Chooses what is presented. Ending it returns to the previous background."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self._before, self._place_before = BackgroundSettings(), IN_PLACE
        self._screens: Entries = []
        """The screens and windows that were listed last."""
        self.add_beside(
            button(self.tr("PDF file…"), self.tr("Shows its pages behind you"), "presentPdf", self._ask_for_pdf,
                   name=self.tr("Present a PDF file")),
            button(self.tr("Folder…"), self.tr("Shows the images of a folder behind you"), "presentFolder",
                   self._ask_for_folder, name=self.tr("Present a folder")),
        )  # fmt: skip
        screen = self.add_choice(
            "background", self.tr("Screen"), self.tr("Shows a screen or a window behind you, with all that covers it"),
            "screenCombo", self._entries, choose=self._present_screen,
            shows=lambda background: background.screen if background.kind == "screen" else None,
        )  # fmt: skip
        screen.installEventFilter(self)
        self.add_hint(
            self.tr("Everyone in the call sees the presentation. Press Page Up or Page Down to change slides.")
        )
        self.add_link(self.tr("End the presentation"), self.tr("Return to the previous background"), "presentEnd",
                      self._stop, lambda settings: settings.background.kind in PRESENTED)  # fmt: skip

    def _entries(self) -> Entries:
        """The screens and windows that were listed last, and the one that is presented."""
        background = self.store.current.background
        entries = [(self.tr("Off"), None), *self._screens]
        if background.kind == "screen" and all(target != background.screen for _title, target in entries):
            kind, _, which = background.screen.partition(":")
            titles = {"screen": self.tr("Screen {0}").format(which or 1), "window": which}
            entries.append((titles.get(kind, background.screen), background.screen))
        return entries

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:
        """List the screens and windows anew before the list opens."""
        if event is not None and event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress):
            self._list_screens()
        return False

    def present(self, path: Path) -> None:
        """Show slides behind the person."""
        self._begin({**dict(self.store.current.background.with_file("slides", path)), "fit": "fit"})

    def follow_rename(self, old: Path, new: Path) -> None:
        """Follow the file of the previous background to its new name."""
        if self._before.path == old:
            self._before = self._before.replace(path=new)

    def _present_screen(self, target: str | None) -> None:
        if target is None:
            self._stop()
        else:
            self._begin({"kind": "screen", "screen": target, "fit": "fit", "zoom": 1, "pan_x": 0, "pan_y": 0})

    def _begin(self, changes: dict[str, Any]) -> None:
        current = self.store.current
        if current.background.kind not in PRESENTED:
            self._before, self._place_before = current.background, current.placement

        def update(now: Settings) -> Settings:
            corner = in_corner("bottom-right") if now.placement == IN_PLACE else now.placement
            return now.replace(background=now.background.replace(**changes), placement=corner)

        self.store.change(update)

    def _stop(self) -> None:
        def update(now: Settings) -> Settings:
            if now.background.kind not in PRESENTED:
                return now
            before = self._before
            removed = before.kind in ("image", "video") and before.path is not None and not exists(before.path)
            # "none" shows the room, so that it is only ever chosen by its own tile; without a background that can be
            # opened, the presentation would stay in the outputs
            if removed or before.kind == "none":
                before = before.replace(kind="blur")
            return now.replace(background=before, placement=self._place_before)

        self.store.change(update)

    def _ask_for_pdf(self) -> None:
        name_filter = self.tr("PDF files ({0})").format("*.pdf")
        ask_for_file(
            self, self.tr("Present a PDF file"), self.present, name_filter, folder=UserFolder.DocumentsLocation
        )

    def _ask_for_folder(self) -> None:
        ask_for_folder(self, self.tr("Present a folder"), self.present, path_of(UserFolder.PicturesLocation))

    def _list_screens(self) -> None:
        entries: Entries = []
        if asks_for_screens():
            entries.append((self.tr("Screen (your desktop asks which one)"), "screen:1"))
            entries.append((self.tr("Window (your desktop asks which one)"), "window:*"))
        entries += [
            (self.tr("Screen {0}").format(number), f"screen:{number}") for number in range(1, screen_count() + 1)
        ]
        entries += [(title, f"window:{title}") for title in window_titles() if len(title) <= 200]
        self._screens = entries
        self.refresh()
