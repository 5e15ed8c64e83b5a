"""The controls of the window over settings of their own: without pipeline, and so without its threads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.compositing.screen_use import ScreenUse
from app.config.scenes import SceneStore
from app.core.settings import Settings
from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.panels.side_panel import SidePanel
from app.gui.preview.interaction import PreviewInteraction
from app.gui.preview.view import Preview
from app.gui.shell.scenes_menu import ScenesMenu
from app.gui.state.preferences import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.action_bar import ActionBar
from app.gui.widgets.error_bar import ErrorBar
from app.gui.widgets.notices import NoticeArea
from app.runtime.settings_owner import SettingsOwner


def made_store(settings: Settings | None = None) -> SettingsStore:
    """Return a store of settings that no pipeline owns, without a captured screen."""
    return SettingsStore(SettingsOwner(settings or Settings()), ScreenUse())


class ControlsWindow(QWidget):
    """Preview, buttons and backgrounds on the left, the side panel on the right. The preview shows a grey image."""

    def __init__(self, store: SettingsStore, preferences: PreferencesStore, tasks: Tasks, scenes: Path) -> None:
        super().__init__()
        self.preview = Preview(store, preferences)
        self.action_bar = ActionBar(store)
        self.strip = BackgroundStrip(store, preferences, tasks)
        self.panel = SidePanel(store, preferences, tasks)
        self.notices = NoticeArea()
        self.error_bar = ErrorBar(self.notices, self)
        self.scenes_menu = QMenu(self)
        self.scenes = ScenesMenu(self.scenes_menu, SceneStore(scenes), store, tasks, self)
        PreviewInteraction(self.preview, store, preferences, self.panel.placement.mouse)
        self.action_bar.mode_chosen.connect(self.preview.set_mode)
        for source in (self.strip.library.failed, self.panel.quality.network.download.failed, self.scenes.failed):
            source.connect(self.error_bar.show_message)
        self.strip.drops.watch(self)
        row, left = QHBoxLayout(self), QVBoxLayout()
        row.addLayout(left, 1)
        row.addWidget(self.panel)
        left.addWidget(self.notices)
        left.addWidget(self.preview, 1)
        left.addWidget(self.action_bar)
        left.addWidget(self.strip)
        image = QImage(64, 48, QImage.Format.Format_RGB32)
        image.fill(0xFF808080)
        self.preview.show_image(image)


@dataclass(frozen=True, slots=True)
class Controls:
    """The controls and what they change; named as in `Session`."""

    window: ControlsWindow
    store: SettingsStore
    preferences: PreferencesStore
