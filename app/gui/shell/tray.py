"""The icon in the system tray."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.state.store import SettingsStore
from app.gui.widgets.icons import app_icon


class Tray(QObject):
    """Tray menu: open the window, pause, choose a background, quit."""

    open_requested = pyqtSignal()
    quit_requested = pyqtSignal()

    def __init__(self, store: SettingsStore, strip: BackgroundStrip, window: QWidget) -> None:
        super().__init__(window)
        self._store = store
        self._strip = strip
        self.menu = QMenu(window)
        self.menu.aboutToShow.connect(self.fill)
        self._icon = QSystemTrayIcon(app_icon(), self)
        self._icon.setToolTip("Mattecam")
        self._icon.setContextMenu(self.menu)
        self._icon.activated.connect(self._on_activated)
        self.fill()
        if self.available:
            self._icon.show()

    @property
    def available(self) -> bool:
        """Whether the system has a tray."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def hide(self) -> None:
        """Remove the icon from the tray."""
        self._icon.hide()

    def fill(self) -> None:
        """Rebuild the menu from the current settings."""
        self.menu.clear()
        self.menu.addAction(self.tr("Open Mattecam"), self.open_requested.emit)
        paused = self._store.current.paused
        text = self.tr("Resume") if paused else self.tr("Pause")
        self.menu.addAction(text, lambda: self._store.set_paused(not paused))
        backgrounds = self.menu.addMenu(self.tr("Background"))
        for tile in self._strip.model.tiles:
            action = backgrounds.addAction(tile.name) if backgrounds is not None and not tile.broken else None
            if action is not None:
                action.setCheckable(True)
                action.setChecked(tile.chosen_by(self._store.current.background))
                action.triggered.connect(lambda _on, tile=tile: self._strip.choose(tile))
        self.menu.addSeparator()
        self.menu.addAction(self.tr("Quit"), self.quit_requested.emit)

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.open_requested.emit()
