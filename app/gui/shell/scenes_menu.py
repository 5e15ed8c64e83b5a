"""The Scenes menu: save, apply, rename and remove scenes; Ctrl+1 to Ctrl+9 apply them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QMenu, QWidget

from app.config.scenes import Scene, SceneStore
from app.core.errors import text_of
from app.gui.dialogs.questions import ask_before_loss, ask_for_name, change_or_ask
from app.gui.shell.menus import add_action
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.qt import existing


class ScenesMenu(QObject):
    """Fills a menu with the saved scenes. Files are read and written on a task thread."""

    failed = pyqtSignal(object)  # a str would lose the message of a Text
    saved = pyqtSignal(str, str)
    """A scene was saved: its name, and the keys that apply it, or nothing."""

    def __init__(self, menu: QMenu, scenes: SceneStore, store: SettingsStore, tasks: Tasks, window: QWidget) -> None:
        super().__init__(window)
        self._menu = menu
        self._scenes = scenes
        self._store = store
        self._tasks = tasks
        self._window = window
        self._saved: dict[str, Scene | None] = {}
        self._actions: dict[str, QAction] = {}
        self._wanted = ""
        """The scene that was asked for last."""
        menu.aboutToShow.connect(self._mark_active)
        self._fill({})
        self.reload()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the saved scenes."""
        return tuple(self._saved)

    def reload(self) -> None:
        """Read the scenes from the file."""
        self._tasks.run(self._scenes.all, self._fill, self._fail)

    def apply(self, name: str) -> None:
        """Apply a scene; of several that are read at once, the last one."""
        self._wanted = name
        self._tasks.run(lambda: (name, self._scenes.get(name)), self._apply, self._fail)

    def save(self, name: str, *, with_devices: bool = False) -> None:
        """Save the current look as a scene, optionally with the camera and the virtual camera."""
        name, scene = name.strip(), self._store.current.kept

        def put() -> tuple[str, dict[str, Scene | None]]:
            self._scenes.put(name, scene, with_devices=with_devices)
            return name, self._scenes.all()

        self._tasks.write(put, self._say_saved, self._fail)

    def remove(self, name: str) -> None:
        """Delete a scene."""
        self._change(partial(self._scenes.remove, name))

    def follow_rename(self, old: Path, new: Path) -> None:
        """Let scenes follow a background whose file was renamed."""
        self._change(partial(self._scenes.follow_rename, old, new))

    def ask_for_name(self, *, with_devices: bool = False) -> None:
        """Ask for the name of a new scene and save it."""
        numbered = (self.tr("Scene {0}").format(number) for number in count(1))
        suggestion = next(name for name in numbered if name not in self._saved)
        title = self.tr("Save as scene with camera") if with_devices else self.tr("Save as scene")
        ask_for_name(self._window, title, suggestion, partial(self._ask_before_replacing, with_devices))

    def _ask_before_replacing(self, with_devices: bool, name: str) -> None:
        save = partial(self.save, name, with_devices=with_devices)
        if name.strip() not in self._saved:
            save()
            return
        ask_before_loss(
            self._window,
            self.tr("There is a scene “{0}” already. Replace it?").format(name.strip()),
            self.tr("Its settings are lost."),
            self.tr("Replace"),
            save,
        )

    def ask_before_removal(self, name: str) -> None:
        """Ask whether to delete a scene."""
        text = self.tr("Remove the scene “{0}”?").format(name)
        ask_before_loss(
            self._window, text, self.tr("Its settings are lost."), self.tr("Remove"), partial(self.remove, name)
        )

    def ask_for_new_name(self, name: str) -> None:
        """Ask for a new name and rename the scene."""

        def rename(new: str) -> None:
            self._change(partial(self._scenes.rename, name, new))

        ask_for_name(self._window, self.tr("Rename scene"), name, rename)

    def _apply(self, found: tuple[str, Scene]) -> None:
        name, scene = found
        if name == self._wanted:
            change_or_ask(self._window, self._store, scene.applied_to)

    def _change(self, work: Callable[[], None]) -> None:
        def change() -> dict[str, Scene | None]:
            work()
            return self._scenes.all()

        self._tasks.write(change, self._fill, self._fail)

    def _say_saved(self, saved: tuple[str, dict[str, Scene | None]]) -> None:
        name, scenes = saved
        self._fill(scenes)
        action = self._actions.get(name)
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText) if action is not None else ""
        self.saved.emit(name, keys)

    def _mark_active(self) -> None:
        """Mark the scenes that would change nothing."""
        current = self._store.current
        for name, action in self._actions.items():
            scene = self._saved[name]
            action.setChecked(scene is not None and scene.applied_to(current) == current)

    def _fail(self, error: Exception) -> None:
        self.failed.emit(text_of(error))

    def _fill(self, scenes: dict[str, Scene | None]) -> None:
        self._saved = scenes
        self._actions.clear()
        self._menu.clear()
        for number, name in enumerate(scenes, start=1):
            title, key = name.replace("&", "&&"), f"Ctrl+{number}" if number <= 9 else ""
            self._actions[name] = add_action(self._menu, title, key, partial(self.apply, name))
            self._actions[name].setCheckable(True)
        if scenes:
            self._menu.addSeparator()
            for title, act in (
                (self.tr("Rename"), self.ask_for_new_name),
                (self.tr("Remove"), self.ask_before_removal),
            ):
                more = existing(self._menu.addMenu(title))
                for name in scenes:
                    more.addAction(name.replace("&", "&&"), partial(act, name))
            self._menu.addSeparator()
        add_action(self._menu, self.tr("Save as scene…"), "Ctrl+S", self.ask_for_name)
        self._menu.addAction(self.tr("Save as scene with camera…"), partial(self.ask_for_name, with_devices=True))
