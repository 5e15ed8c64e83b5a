"""The menu of scenes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QMenu, QWidget

from app.config.scenes import SceneStore
from app.core.errors import Text, text_of
from app.gui.questions import ask_before_loss, ask_for_name, change_or_ask
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import tr
from app.gui.widgets.qt import add_action, existing
from app.settings import Settings


class ScenesMenu(QObject):
    """A menu of the saved scenes. Files are read and written on a task thread."""

    failed = pyqtSignal(object)  # a str would lose the message of a Text
    # Another part of the program, on any thread, changed the saved scenes.
    changed = pyqtSignal()

    def __init__(
        self,
        scenes: SceneStore,
        store: SettingsStore,
        tasks: Tasks,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self.menu = QMenu(tr("&Scenes"), window)
        self._scenes = scenes
        self._store = store
        self._tasks = tasks
        self._window = window
        # In the order of the menu.
        self.names: tuple[str, ...] = ()
        self.changed.connect(self.reload)
        self._fill(())
        self.reload()

    def reload(self) -> None:
        """Read the scenes from the file."""
        self._tasks.read(self._scenes.names, self._fill, self._fail, self._scenes.path)

    def apply(self, name: str) -> None:
        """Apply a scene, after those that were asked for before."""

        def find() -> Callable[[Settings], Settings]:
            return self._scenes.get(name).applied_to

        use = partial(change_or_ask, self._window, self._store)
        self._tasks.read(find, use, self._fail, self._scenes.path)

    def save(self, name: str, *, with_devices: bool = False) -> None:
        """Save the current look as a scene, optionally with the camera and the virtual camera."""
        scene = self._store.current.kept
        self._change(partial(self._scenes.put, name.strip(), scene, with_devices=with_devices))

    def follow_rename(self, old: Path, new: Path) -> None:
        """Let scenes follow a background whose file was renamed."""
        self._change(partial(self._scenes.follow_rename, old, new))

    def ask_for_name(self, *, with_devices: bool = False) -> None:
        """Ask for the name of a new scene and save it."""
        number = 1
        while tr("Scene {0}").format(number) in self.names:
            number += 1
        suggestion = tr("Scene {0}").format(number)
        title = tr("Save as scene with camera") if with_devices else tr("Save as scene")

        def take(name: str) -> None:
            save = partial(self.save, name, with_devices=with_devices)
            if name.strip() not in self.names:
                save()
                return
            text = tr("There is a scene “{0}” already. Replace it?").format(name.strip())
            consequence = tr("Its settings are lost.")
            ask_before_loss(self._window, text, consequence, tr("Replace"), save)

        ask_for_name(self._window, title, suggestion, take)

    def ask_before_removal(self, name: str) -> None:
        """Ask whether to delete a scene."""
        text = tr("Remove the scene “{0}”?").format(name)
        remove = partial(self._change, partial(self._scenes.remove, name))
        ask_before_loss(self._window, text, tr("Its settings are lost."), tr("Remove"), remove)

    def ask_for_new_name(self, name: str) -> None:
        """Ask for a new name and rename the scene."""

        def take(new: str) -> None:
            self._change(partial(self._scenes.rename, name, new))

        ask_for_name(self._window, tr("Rename scene"), name, take)

    def _change(self, work: Callable[[], Text | None]) -> None:
        """Change the scenes.

        work: returns what to tell the user about a file that could not be used.
        """

        def change() -> tuple[tuple[str, ...], Text | None]:
            renamed = work()
            return self._scenes.names(), renamed

        self._tasks.write(change, self._changed, self._fail, self._scenes.path)

    def _changed(self, result: tuple[tuple[str, ...], Text | None]) -> None:
        names, renamed = result
        self._fill(names)
        if renamed is not None:
            self.failed.emit(renamed)

    def _fail(self, error: Exception) -> None:
        self.failed.emit(text_of(error))

    def _fill(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.menu.clear()
        for number, name in enumerate(names, start=1):
            key = f"Ctrl+{number}" if number <= 9 else ""
            add_action(self.menu, _as_entry(name), key, partial(self.apply, name))
        if names:
            self.menu.addSeparator()
            self._add_menu(tr("Rename"), self.ask_for_new_name)
            self._add_menu(tr("Remove"), self.ask_before_removal)
            self.menu.addSeparator()
        add_action(self.menu, tr("Save as scene…"), "Ctrl+S", self.ask_for_name)
        self.menu.addAction(
            tr("Save as scene with camera…"),
            partial(self.ask_for_name, with_devices=True),
        )

    def _add_menu(self, title: str, act: Callable[[str], None]) -> None:
        """Add a menu of all scenes. act: called with the name of one."""
        menu = existing(self.menu.addMenu(title))
        for name in self.names:
            menu.addAction(_as_entry(name), partial(act, name))


def _as_entry(name: str) -> str:
    """Return a name as the text of an entry, in which Qt makes a key of what follows a single &."""
    return name.replace("&", "&&")
