"""Choice of the camera, the virtual camera, and where recordings and their sound go."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QHideEvent, QShowEvent
from PyQt6.QtWidgets import QFileDialog, QProgressBar

from app.capture.devices import CameraDevice, cameras_named, titles, without_port
from app.capture.table import listed_sources, names_camera
from app.core.process import LINUX
from app.gui.panels.form import Entries, Form, say
from app.gui.questions import UserFolder, ask_for_file, ask_for_files, nearest_folder
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import short, tr, translated, translated_error
from app.gui.widgets.controls import button, combo, describe, fill_combo, label, on_button
from app.gui.widgets.qt import timer, tip_of
from app.output.microphones import MicrophoneName, microphones, open_microphone
from app.output.sound import Microphone, OpenMicrophone
from app.runtime.status import PipelineStatus
from app.settings import Settings

SIZES = ((640, 360), (640, 480), (960, 540), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))
RATES = (15.0, 24.0, 25.0, 30.0, 50.0, 60.0)
FORMATS = ("MJPG", "YUYV", "NV12", "H264")
# Data of the entry that opens a file dialog; not a valid source.
FILE = "file…"


def edit_capture(store: SettingsStore, **changes: Any) -> None:
    """Change the capture settings, and remember them for the camera in use."""
    store.edit("capture", **changes)
    capture = store.current.capture
    if names_camera(capture.source):
        key = without_port(capture.source)
        cameras = store.current.window.cameras
        # Of the other fields, what is remembered or saved: the options are of this run alone.
        before = cameras.get(key, store.saved.capture)
        remembered = before.replace(**{**changes, "source": capture.source})
        store.set("window.cameras", {**cameras, key: remembered})


class CameraControls(Form):
    """Chooses the source.

    The settings of each camera are remembered and restored when it is chosen again.
    """

    # The list of cameras or a setting changed.
    sources_changed = pyqtSignal()

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        # Connected now.
        self.cameras: tuple[CameraDevice, ...] = ()
        self.list = combo(tr("Camera"), tr("Source of the video"), "cameraCombo")
        self._delivered = label("", "faint", wrap=True)
        self.add(self.list, self._delivered)
        self.list.activated.connect(lambda _row: self.choose_source(self.list.currentData()))
        self._size = combo(tr("Size"), tr("Width and height of the frames"), "sizeCombo")
        self._size.activated.connect(self._choose_size)
        self.add_row(self._size.accessibleName(), self._size)
        self.only_with_all_settings(
            self._size,
            self.row("capture.fps", self._rates, change=lambda rate: edit_capture(store, fps=rate)),
            self.row(
                "capture.pixel_format",
                self._formats,
                change=lambda name: edit_capture(store, pixel_format=name),
            ),
            self.row("capture.colours", change=lambda name: edit_capture(store, colours=name)),
            self.row(
                "capture.deinterlace",
                change=lambda mode: edit_capture(store, deinterlace=mode),
            ),
            self.row("window.mirror_preview"),
        )
        self.on_settings(self._show)

    def show_cameras(self, cameras: tuple[CameraDevice, ...]) -> None:
        """Take the cameras that are connected now."""
        if cameras != self.cameras:
            self.cameras = cameras
            self.refresh()

    def show_status(self, status: PipelineStatus) -> None:
        """Show what the camera delivers."""
        source = status.source
        text = ""
        if source is not None:
            titles_in_list = {spec.name: translated(spec.title) for spec in listed_sources()}
            name = titles_in_list.get(source.kind, source.name)
            text = tr("{0}: {1} × {2}").format(name, source.width, source.height)
        self._delivered.setText(text)

    def _choose_size(self) -> None:
        width, height = self._size.currentData()
        edit_capture(self.store, width=width, height=height)

    def choose_source(self, source: str) -> None:
        """Use a source with its remembered settings; the video file entry opens a file dialog."""
        if source == FILE:
            self.refresh()
            ask_for_file(
                self,
                tr("Choose a video"),
                lambda path: self.choose_source(str(path)),
                folder=UserFolder.MoviesLocation,
            )
            return
        remembered = self.store.current.window.cameras.get(without_port(source))
        # Each camera hangs in its own way.
        changes: dict[str, Any] = {"rotate": 0, "flip": False}
        if remembered is not None:
            changes = dict(remembered)
        changes["source"] = source
        edit_capture(self.store, **changes)
        # Also what an option of this run has already set.
        self.store.change_saved(lambda saved: saved.replaced_at(["capture"], **changes))

    @property
    def chosen(self) -> CameraDevice | None:
        """The camera of the settings, which may name it by its number or device file.

        None if not exactly one is it.
        """
        name = self.store.current.capture.source.removeprefix("camera:")
        found = cameras_named(name, self.cameras)
        return found[0] if len(found) == 1 else None

    def sources(self) -> list[tuple[str, object]]:
        """(name, value for the settings) of all sources."""
        capture = self.store.current.capture
        chosen = self.chosen
        entries: list[tuple[str, object]] = [(tr("Automatic"), "auto")]
        for camera, title in zip(self.cameras, titles(self.cameras), strict=True):
            # The settings may name the chosen one in another way than the list does.
            entries.append((title, capture.source if camera is chosen else camera.source))
        entries += [(translated(spec.title), spec.name) for spec in listed_sources()]
        if capture.source not in [source for _title, source in entries]:
            title = Path(capture.source).name
            if names_camera(capture.source):
                title = tr("A camera that is not connected")
            entries.append((title, capture.source))
        entries.append((tr("Video file…"), FILE))
        return entries

    def _show(self, settings: Settings) -> None:
        capture = settings.capture
        camera = self.chosen
        fill_combo(self.list, self.sources(), capture.source)
        size = (capture.width, capture.height)
        sizes = set(SIZES)
        if camera is not None and camera.sizes:
            sizes = set(camera.sizes)
        sizes.add(size)
        entries: Entries = []
        for width, height in sorted(sizes):
            entries.append((f"{width} × {height}", (width, height)))
        fill_combo(self._size, entries, size)
        self.sources_changed.emit()

    def _rates(self) -> Entries:
        rates = {*RATES, self.store.current.capture.fps}
        return [(short(rate), rate) for rate in sorted(rates)]

    def _formats(self) -> Entries:
        camera = self.chosen
        formats: Sequence[str] = FORMATS
        if camera is not None and camera.formats:
            formats = camera.formats
        entries: Entries = [(tr("Automatic"), "auto")]
        # A camera may list a format once for each of its sizes.
        entries += [(name, name) for name in dict.fromkeys(formats)]
        return entries


class TurnControls(Form):
    """Turns and mirrors the camera; few cameras need it."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self.row("capture.rotate", change=lambda degrees: edit_capture(store, rotate=degrees))
        self.row("capture.flip", change=lambda on: edit_capture(store, flip=on))


DEVICE = "output.virtual_camera"


class VirtualCameraControls(Form):
    """Switches the virtual camera on or off, names the one in use, and says what it sends."""

    # The user asks how to set up a virtual camera.
    help_requested = pyqtSignal()

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self._cameras: tuple[tuple[str, str], ...] = ()
        # It is used when the virtual camera is switched on again.
        self._last_device = "auto"
        # An option of this run may have switched it off.
        self._remember(store.saved)
        self.add_check(
            DEVICE,
            tr("Send to other programs"),
            tr("They choose the virtual camera as their camera"),
            lambda on: self.store.set(DEVICE, self._last_device if on else "off"),
            lambda device: device != "off",
            "virtualCameraToggle",
        )
        self._state = self.add_hint()
        self._help = button(
            tr("Set up a virtual camera…"),
            tr("Shows what this system needs"),
            "virtualCameraHelp",
            self.help_requested.emit,
            name=tr("Set up a virtual camera"),
            link=True,
        )
        self.add(self._help)
        device = self.add_list(
            DEVICE,
            self._devices,
            partial(store.set, DEVICE),
            lambda device: "auto" if device == "off" else device,
        )
        self.enable_while(lambda settings: settings.output.virtual_camera != "off", device)
        names = ["output.mirror", "output.on_demand"]
        if LINUX:
            names += ["output.pause_when_locked", "output.pipewire", "output.alpha_output"]
        self.only_with_all_settings(device, *self.rows(*names))
        self.on_settings(self._remember)

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._cameras = cameras
        self.refresh()

    def name_of(self, status: PipelineStatus) -> str | None:
        """Return the virtual camera in use as other programs list it; None while there is none."""
        return dict(self._cameras).get(status.virtual_camera or "", status.virtual_camera)

    def show_status(self, status: PipelineStatus) -> None:
        """Show the device in use."""
        is_switched_on = self.store.current.output.virtual_camera != "off"
        camera = self.name_of(status) or status.pipewire
        text = ""
        if camera is not None:
            text = tr("Choose “{0}” as the camera in your meeting.").format(camera)
        say(self._state, text)
        self._help.setVisible(is_switched_on and camera is None)

    def _devices(self) -> Entries:
        entries: Entries = [(tr("Automatic"), "auto")]
        entries += [(f"{title} ({device})", device) for device, title in self._cameras]
        return entries

    def _remember(self, settings: Settings) -> None:
        if settings.output.virtual_camera != "off":
            self._last_device = settings.output.virtual_camera


METER_INTERVAL_MS = 80
# Factor by which the meter falls per interval.
DECAY = 0.8


class RecordingControls(Form):
    """Chooses folder and microphone.

    While it is visible and a microphone is chosen, the device is open for the meter, except during
    a pause.
    """

    def __init__(
        self,
        store: SettingsStore,
        tasks: Tasks,
        open_source: OpenMicrophone = open_microphone,
    ) -> None:
        super().__init__(store)
        self._tasks = tasks
        self._open_source = open_source
        self.folder = button(
            "",
            tr("Recordings and snapshots are saved here"),
            "recordingsFolder",
            self.ask_for_folder,
            name=tr("Folder for recordings"),
        )
        self.add_row(tr("Folder"), self.folder)
        self._microphones: tuple[MicrophoneName, ...] = ()
        self._metered: Microphone | None = None
        self._error: Exception | None = None
        self.row("output.microphone", self._entries)
        self._meter = QProgressBar()
        self._meter.setRange(0, 100)
        self._meter.setTextVisible(False)
        describe(
            self._meter,
            tr("Microphone level"),
            tr("Moves while you speak"),
            "microphoneLevel",
        )
        self.add(self._meter)
        self._problem = self.add_hint()
        self._timer = timer(self, METER_INTERVAL_MS, self._show_level)
        self.on_settings(self._show)

    def _show_microphones(self, found: tuple[MicrophoneName, ...]) -> None:
        self._microphones = found
        self.refresh()

    def ask_for_folder(self) -> None:
        """Ask for the folder of recordings and snapshots."""
        folder = self.store.recordings_dir
        self._tasks.run(partial(nearest_folder, folder), self._ask_from, file=folder)

    def _ask_from(self, folder: Path) -> None:
        ask_for_files(
            self,
            tr("Folder for recordings"),
            lambda paths: self.store.set("window.recordings_dir", paths[0]),
            folder=folder,
            mode=QFileDialog.FileMode.Directory,
        )

    def showEvent(self, event: QShowEvent | None) -> None:
        """List the microphones, and begin to measure the level."""
        super().showEvent(event)
        self._tasks.run(microphones, self._show_microphones, newest=True)
        self._follow()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Release the microphone."""
        super().hideEvent(event)
        self._release()

    def _needed_microphone(self) -> str | None:
        settings = self.store.current
        if settings.paused or settings.output.microphone == "off":
            return None
        return settings.output.microphone

    def _follow(self) -> None:
        """Open the microphone for the meter if it is needed, else release it."""
        if self._needed_microphone() is None or not self.isVisible():
            self._release()
        elif self._metered is None:
            self._metered = Microphone(
                self._open_source,
                self._needed_microphone,
                self._take_error,
            )
            self._timer.start()

    def _release(self) -> None:
        self._timer.stop()
        self._meter.setValue(0)
        metered = self._metered
        self._metered = None
        self._error = None
        self._problem.hide()
        if metered is not None:
            # Not awaited: closing a device may take a moment.
            metered.request_stop()

    def _take_error(self, error: Exception | None) -> None:
        # On the microphone's thread: the timer shows it.
        self._error = error

    def _show_level(self) -> None:
        if self._metered is None:
            return
        # The meter keeps no sound.
        self._metered.take()
        fallen = self._meter.value() * DECAY
        # By the root of the level, quiet speech moves the meter too.
        level = 100 * self._metered.level**0.5
        self._meter.setValue(round(max(fallen, level)))
        say(self._problem, "" if self._error is None else translated_error(self._error))

    def _entries(self) -> Entries:
        entries: Entries = [(tr("Off"), "off"), (tr("Default"), "default")]
        entries += [(found.title, found.name) for found in self._microphones]
        return entries

    def _show(self, settings: Settings) -> None:
        folder = self.store.recordings_dir
        self.folder.setText(on_button(folder.name))
        self.folder.setToolTip(tip_of(str(folder)))
        self._meter.setVisible(settings.output.microphone != "off")
        self._follow()
