"""Choice of the camera, and of the size and frame rate that it delivers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PyQt6.QtCore import pyqtSignal

from app.capture.devices import CameraDevice, cameras_named
from app.core.settings import Settings
from app.gui.dialogs.questions import UserFolder, ask_for_file
from app.gui.i18n.messages import short
from app.gui.panels.form import Entries, Form
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import combo, fill_combo, label
from app.runtime.status import PipelineStatus

SIZES = ((640, 360), (640, 480), (960, 540), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))
RATES = (15.0, 24.0, 25.0, 30.0, 50.0, 60.0)
FORMATS = ("MJPG", "YUYV", "NV12", "H264")
CAMERAS = "camera:", "portal:"
"""What the sources begin with that are cameras."""
FILE = "file…"
"""Data of the entry that opens a file dialog; not a valid source."""


def edit_capture(store: SettingsStore, **changes: Any) -> None:
    """Change the capture settings, and remember them for the camera in use."""
    store.edit("capture", **changes)
    capture = store.current.capture
    if capture.source.startswith(CAMERAS):
        remembered = store.saved.capture.replace(source=capture.source)  # without the options of this run
        store.set("window.cameras", {**store.current.window.cameras, capture.source: remembered})


class CameraControls(Form):
    """Chooses the source. The settings of each camera are remembered and restored when it is chosen again."""

    sources_changed = pyqtSignal()
    """The list of cameras or a setting changed."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self.cameras: tuple[CameraDevice, ...] = ()
        """The cameras that are connected now."""
        self.list = combo(self.tr("Camera"), self.tr("Source of the video"), "cameraCombo")
        self._delivered = label("", "faint", wrap=True)
        self.add(self.list, self._delivered)
        self.list.activated.connect(lambda _row: self.choose_source(self.list.currentData()))
        self.row("capture.rotate", self.tr("Turn the camera"),
                 self.tr("For a camera that hangs sideways or upside down"),
                 change=lambda degrees: edit_capture(store, rotate=degrees))  # fmt: skip
        self.row("capture.flip", self.tr("Swap left and right of the camera"),
                 self.tr("The background is not swapped"), change=lambda on: edit_capture(store, flip=on))  # fmt: skip
        self._add_formats()
        self.on_settings(self._show)

    def _add_formats(self) -> None:
        change = partial(edit_capture, self.store)
        self._size = combo(self.tr("Size"), self.tr("Width and height of the frames"), "sizeCombo")
        self._size.activated.connect(lambda _row: self._choose_size(*self._size.currentData()))
        self.add_row(self._size.accessibleName(), self._size)
        self.only_with_all_settings(
            self._size,
            self.row("capture.fps", self.tr("Frame rate"), self.tr("Frames per second of the camera"), self._rates,
                     change=lambda rate: change(fps=rate)),
            self.row("capture.pixel_format", self.tr("Format"), self.tr("Pixel format that the camera sends"),
                     self._formats, change=lambda name: change(pixel_format=name)),
            self.row("window.mirror_preview", self.tr("Mirror the preview"),
                     self.tr("Affects only the preview, not the output")),
        )  # fmt: skip

    def _choose_size(self, width: int, height: int) -> None:
        edit_capture(self.store, width=width, height=height)

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
            name = self.tr("Demonstration") if source.kind == "demo" else source.name  # as in the list above it
            text = self.tr("{0}: {1} × {2}").format(name, source.width, source.height)
        self._delivered.setText(text)

    def open_list(self) -> None:
        """Open the list of cameras."""
        self.list.setFocus()
        self.list.showPopup()

    def ask_for_file(self) -> None:
        """Ask for a video file to use in place of a camera."""
        ask_for_file(
            self, self.tr("Choose a video"), lambda path: self.choose_source(str(path)),
            folder=UserFolder.MoviesLocation,
        )  # fmt: skip

    def choose_source(self, source: str) -> None:
        """Use a source with its remembered settings; the video file entry opens a file dialog."""
        if source == FILE:
            self.refresh()
            self.ask_for_file()
            return
        upright = self.store.current.capture.replace(rotate=0, flip=False)  # each camera hangs in its own way
        known = self.store.current.window.cameras.get(source, upright)
        edit_capture(self.store, **{**dict(known), "source": source})

    @property
    def chosen(self) -> CameraDevice | None:
        """The camera of the settings, which may name it by its number or device file; None if not exactly one is it."""
        found = cameras_named(self.store.current.capture.source.removeprefix("camera:"), self.cameras)
        return found[0] if len(found) == 1 else None

    def sources(self) -> list[tuple[str, object]]:
        """(name, value for the settings) of all sources."""
        capture, chosen = self.store.current.capture, self.chosen
        entries: list[tuple[str, object]] = [(self.tr("Automatic"), "auto")]
        entries += [(camera.name, capture.source if camera is chosen else camera.source) for camera in self.cameras]
        entries.append((self.tr("Demonstration"), "demo"))
        if capture.source not in (data for _text, data in entries):
            gone = capture.source.startswith(CAMERAS)
            name = self.tr("A camera that is not connected") if gone else Path(capture.source).name
            entries.append((name, capture.source))
        return [*entries, (self.tr("Video file…"), FILE)]

    def _show(self, settings: Settings) -> None:
        capture, camera = settings.capture, self.chosen
        fill_combo(self.list, self.sources(), capture.source)
        size = capture.width, capture.height
        sizes = {*(camera.sizes if camera is not None and camera.sizes else SIZES), size}
        fill_combo(self._size, [(f"{width} × {height}", (width, height)) for width, height in sorted(sizes)], size)
        self.sources_changed.emit()

    def _rates(self) -> Entries:
        return [(short(rate), rate) for rate in sorted({*RATES, self.store.current.capture.fps})]

    def _formats(self) -> Entries:
        camera = self.chosen
        formats = camera.formats if camera is not None and camera.formats else FORMATS
        return [(self.tr("Automatic"), "auto"), *((name, name) for name in dict.fromkeys(formats))]
