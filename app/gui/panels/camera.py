"""The camera page: source and its format, zoom, people, place of the person, zones."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QSignalBlocker, pyqtSignal

from app.core.settings import Settings
from app.gui.dialogs.questions import UserFolder, ask_for_file
from app.gui.i18n.numbers import short
from app.gui.panels.background_view import BackgroundViewControls
from app.gui.panels.framing import FramingControls
from app.gui.panels.placement import PlacementControls
from app.gui.panels.presenter import PresenterControls
from app.gui.panels.zones import ZoneControls
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.services import Camera
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import check, combo, fill_combo, label
from app.gui.widgets.page import Page
from app.runtime.status import PipelineStatus

SIZES = ((640, 360), (640, 480), (960, 540), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))
RATES = (15.0, 24.0, 25.0, 30.0, 50.0, 60.0)
FORMATS = ("MJPG", "YUYV", "NV12", "H264")
FILE = "file…"
"""Data of the entry that opens a file dialog; not a valid source."""


class CameraPage(Page):
    """Shows the capture settings. The settings of each camera are remembered and restored when it is chosen again."""

    sources_changed = pyqtSignal()
    """The list of cameras or the chosen one changed."""

    def __init__(self, store: SettingsStore, preferences: PreferencesStore) -> None:
        super().__init__()
        self._store = store
        self._preferences = preferences
        self._cameras: tuple[Camera, ...] = ()
        self._camera = combo(self.tr("Camera"), self.tr("Source of the video"), "cameraCombo")
        self._size = combo(self.tr("Size"), self.tr("Width and height of the frames"), "sizeCombo")
        self._rate = combo(self.tr("Frame rate"), self.tr("Frames per second of the camera"), "rateCombo")
        self._format = combo(self.tr("Format"), self.tr("Pixel format that the camera sends"), "formatCombo")
        self._delivered = label("", "faint", wrap=True)
        self._mirror = check(
            self.tr("Mirror the preview"), self.tr("Affects only the preview, not the output"), "mirrorCheck"
        )
        self.add_heading(self.tr("Source"))
        self.add_field(self.tr("Camera"), self._camera)
        self.add_field(self.tr("Size"), self._size)
        self.add_field(self.tr("Frame rate"), self._rate)
        self.add_field(self.tr("Format"), self._format)
        self.add(self._delivered)
        self.add_heading(self.tr("Framing"))
        self.add(FramingControls(store, preferences))
        self._only_me = check(
            self.tr("Only me"),
            self.tr("Hides everybody but one person; click the person in the preview"),
            "onlyMeCheck",
        )
        self.add_heading(self.tr("People"))
        self.add(self._only_me)
        self._only_me.toggled.connect(self._set_only_me)
        self.placement = PlacementControls(store, preferences)
        self.add_heading(self.tr("Place of the person"))
        self.add(self.placement)
        self.add_heading(self.tr("Presenter"))
        self.add(PresenterControls(store))
        self.add_heading(self.tr("Background"))
        self.add(BackgroundViewControls(store, preferences))
        self.zones = ZoneControls(store)
        self.add_heading(self.tr("Zones"))
        self.add(self.zones)
        self.add_heading(self.tr("Preview"))
        self.add(self._mirror)
        self._camera.activated.connect(lambda _row: self.choose_source(self._camera.currentData()))
        self._size.activated.connect(self._choose_size)
        self._rate.activated.connect(lambda _row: self._edit(fps=self._rate.currentData()))
        self._format.activated.connect(lambda _row: self._edit(pixel_format=self._format.currentData()))
        self._mirror.toggled.connect(lambda on: preferences.change(mirror_preview=on))
        preferences.changed.connect(lambda new: self._mirror.setChecked(new.mirror_preview))
        self._mirror.setChecked(preferences.current.mirror_preview)
        store.changed.connect(self._show)
        self._show(store.current)

    def show_cameras(self, cameras: tuple[Camera, ...]) -> None:
        """Take the cameras that are connected now."""
        if cameras != self._cameras:
            self._cameras = cameras
            self._show(self._store.current)

    def show_status(self, status: PipelineStatus) -> None:
        """Show the format that the camera delivers."""
        self.zones.show_status(status)
        source = status.source
        self._delivered.setText(
            ""
            if source is None
            else self.tr("{0}: {1} × {2}, {3} fps {4}").format(
                source.name, source.width, source.height, short(source.fps), source.pixel_format
            )
        )

    def open_camera_list(self) -> None:
        """Open the list of cameras."""
        self._camera.setFocus()
        self._camera.showPopup()

    def ask_for_file(self) -> None:
        """Ask for a video file to use in place of a camera."""
        ask_for_file(
            self, self.tr("Choose a video"), lambda path: self._edit(source=str(path)), folder=UserFolder.VIDEOS
        )

    def choose_source(self, source: str) -> None:
        """Use a source with its remembered settings; the video file entry opens a file dialog."""
        if source == FILE:
            self._show(self._store.current)
            self.ask_for_file()
            return
        known = self._preferences.current.cameras.get(source, self._store.current.capture)
        self._edit(**{**dict(known), "source": source})

    def sources(self) -> list[tuple[str, object]]:
        """(name, value for the settings) of all sources."""
        capture = self._store.current.capture
        entries: list[tuple[str, object]] = [(self.tr("Automatic"), "auto")]
        entries += [(camera.name, camera.source) for camera in self._cameras]
        entries.append((self.tr("Demonstration"), "demo"))
        if capture.source not in (data for _text, data in entries):
            gone = capture.source.startswith("camera:")
            name = self.tr("A camera that is not connected") if gone else Path(capture.source).name
            entries.append((name, capture.source))
        return [*entries, (self.tr("Video file…"), FILE)]

    def _set_only_me(self, on: bool) -> None:
        self._store.change(lambda now: now.replace(people=now.people.replace(only_me=on), selected=None))

    def _choose_size(self, _row: int) -> None:
        width, height = self._size.currentData()
        self._edit(width=width, height=height)

    def _edit(self, **changes: object) -> None:
        self._store.edit("capture", **changes)
        capture = self._store.current.capture
        if capture.source.startswith("camera:"):
            self._preferences.change(cameras={**self._preferences.current.cameras, capture.source: capture})

    def _show(self, settings: Settings) -> None:
        capture = settings.capture
        with QSignalBlocker(self._only_me):
            self._only_me.setChecked(settings.people.only_me)
        camera = next((camera for camera in self._cameras if camera.source == capture.source), None)
        fill_combo(self._camera, self.sources(), capture.source)
        sizes = set(camera.sizes if camera is not None and camera.sizes else SIZES) | {(capture.width, capture.height)}
        fill_combo(self._size, [(f"{width} × {height}", (width, height)) for width, height in sorted(sizes)],
                   (capture.width, capture.height))  # fmt: skip
        fill_combo(self._rate, [(short(rate), rate) for rate in sorted({*RATES, capture.fps})], capture.fps)
        formats = dict.fromkeys((*(camera.formats if camera is not None and camera.formats else FORMATS),))
        entries: list[tuple[str, object]] = [(self.tr("Automatic"), "auto"), *((name, name) for name in formats)]
        if capture.pixel_format not in ("auto", *formats):
            entries.append((capture.pixel_format, capture.pixel_format))
        fill_combo(self._format, entries, capture.pixel_format)
        self.sources_changed.emit()
