"""The Scenes menu: save, apply, rename and remove scenes; Ctrl+1 to Ctrl+9 apply them."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QMenu, QWidget

from app.config.scenes import Scene, SceneStore
from app.core.errors import text_of
from app.gui.dialogs.questions import ask_for_name
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks


class ScenesMenu(QObject):
    """Fills a menu with the saved scenes. Files are read and written on a task thread."""

    failed = pyqtSignal(object)  # a str would lose the message of a Text

    def __init__(self, menu: QMenu, scenes: SceneStore, store: SettingsStore, tasks: Tasks, window: QWidget) -> None:
        super().__init__(window)
        self._menu = menu
        self._scenes = scenes
        self._store = store
        self._tasks = tasks
        self._window = window
        self._names: tuple[str, ...] = ()
        self._fill(())
        self.reload()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the saved scenes."""
        return self._names

    def reload(self) -> None:
        """Read the scene names from the file."""
        self._tasks.run(self._scenes.names, self._fill, self._fail)

    def apply(self, name: str) -> None:
        """Apply a scene."""
        self._tasks.run(partial(self._scenes.get, name), self._apply, self._fail)

    def save(self, name: str, *, with_devices: bool = False) -> None:
        """Save the current look as a scene, optionally with the camera and the virtual camera."""
        self._change(partial(self._scenes.put, name, self._store.scene, with_devices=with_devices))

    def remove(self, name: str) -> None:
        """Delete a scene."""
        self._change(partial(self._scenes.remove, name))

    def ask_for_name(self, *, with_devices: bool = False) -> None:
        """Ask for the name of a new scene and save it."""
        suggestion = self.tr("Scene {0}").format(len(self._names) + 1)
        title = self.tr("Save as scene with camera") if with_devices else self.tr("Save as scene")
        ask_for_name(self._window, title, suggestion, partial(self.save, with_devices=with_devices))

    def ask_for_new_name(self, name: str) -> None:
        """Ask for a new name and rename the scene."""

        def rename(new: str) -> None:
            self._change(partial(self._scenes.rename, name, new))

        ask_for_name(self._window, self.tr("Rename scene"), name, rename)

    def _apply(self, scene: Scene) -> None:
        self._store.apply_scene(scene)

    def _change(self, work: partial[None]) -> None:
        self._tasks.run(work, lambda _none: self.reload(), self._fail)

    def _fail(self, error: Exception) -> None:
        self.failed.emit(text_of(error))

    def _fill(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._menu.clear()
        for number, name in enumerate(names, start=1):
            action = QAction(name, self._menu)
            if number <= 9:
                action.setShortcut(QKeySequence(f"Ctrl+{number}"))
            action.triggered.connect(partial(self.apply, name))
            self._menu.addAction(action)
        if names:
            self._menu.addSeparator()
            for title, act in ((self.tr("Rename"), self.ask_for_new_name), (self.tr("Remove"), self.remove)):
                more = self._menu.addMenu(title)
                for name in names:
                    if more is not None:
                        more.addAction(name, partial(act, name))
            self._menu.addSeparator()
        save = QAction(self.tr("Save as scene…"), self._menu)
        save.setShortcut(QKeySequence("Ctrl+S"))
        save.triggered.connect(lambda _on: self.ask_for_name())
        self._menu.addAction(save)
        self._menu.addAction(self.tr("Save as scene with camera…"), partial(self.ask_for_name, with_devices=True))
