"""Notices about events, such as saved files, and about the state of the program."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from app.capture.camera import SLOW_FPS
from app.core.settings import MAX_ZONES, Settings
from app.core.stage import Stage
from app.core.types import SourceInfo
from app.gui.dialogs.download_controls import download_caption
from app.gui.i18n.messages import describe_model, short
from app.gui.shell.menus import open_folder
from app.gui.state.store import SettingsStore
from app.gui.widgets.notice import Notice, Rank
from app.gui.widgets.notices import BRIEF_MS, NoticeArea
from app.runtime.status import Phase, PipelineStatus
from models.spec import WeightSpec

DEMO, SLOW_CAMERA, NO_VIRTUAL_CAMERA = "demoNotice", "slowCameraNotice", "virtualCameraNotice"
UNMATTED_START, MISSING_MODEL = "unmattedStartNotice", "missingModelNotice"
REMOVED = "removedNotice"


class ProgramNotices(QObject):
    """Reports events, and a missing camera, virtual camera or model; asks before the real background is shown."""

    virtual_camera_requested = pyqtSignal()
    """The user asks how to set up a virtual camera."""
    download_requested = pyqtSignal()
    """The user asks for the model of the settings to be downloaded."""

    def __init__(
        self, area: NoticeArea, store: SettingsStore, missing_model: Callable[[], WeightSpec | None], parent: QObject
    ) -> None:
        """missing_model: returns the model of the settings if it is not installed."""
        super().__init__(parent)
        self._area, self._store, self._missing_model = area, store, missing_model
        self._virtual_cameras: tuple[tuple[str, str], ...] | None = None
        """None until the system was asked."""
        store.changed.connect(self._follow_unmatted_start)

    @property
    def covered_stages(self) -> tuple[Stage, ...]:
        """Stages whose problem a notice shows, with a better remedy."""
        return (Stage.MATTING,) if self._missing_model() is not None else ()

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._virtual_cameras = cameras

    def ask_before_unmatted(self) -> None:
        """Ask whether to show the real background: the saved settings say so, and the program started paused."""
        text = self.tr("Paused: the saved background is “None”, which shows your real background to others.")
        actions = (
            (self.tr("Use blur"), self._blur_and_resume),
            (self.tr("Show it"), partial(self._store.set, "paused", False)),
        )
        self._area.show_while(UNMATTED_START, Notice(UNMATTED_START, text, actions, Rank.QUESTION, dismissible=False))
        self._follow_unmatted_start(self._store.current)

    def show_status(self, status: PipelineStatus) -> None:
        """Update the notices that depend on the pipeline."""
        settings = self._store.current
        demo = settings.capture.source == "auto" and status.source is not None and status.source.kind == "demo"
        self._area.show_while(DEMO, self._demo() if demo else None)
        source = status.source
        slow = source is not None and source.kind == "camera" and 0 < source.fps <= SLOW_FPS < settings.capture.fps
        self._area.show_while(SLOW_CAMERA, self._slow_camera(source) if source is not None and slow else None)
        missing = (
            settings.output.virtual_camera == "auto"
            and status.virtual_camera is None
            and status.pipewire is None
            and self._virtual_cameras == ()
            and status.phase is not Phase.STOPPED
        )
        self._area.show_while(NO_VIRTUAL_CAMERA, self._no_virtual_camera() if missing else None)
        model = self._missing_model()
        self._area.show_while(MISSING_MODEL, None if model is None else self._model_missing(model))

    def diagnostics_copied(self) -> None:
        """Confirm that the diagnostics are on the clipboard."""
        text = self.tr("Diagnostics copied to the clipboard.")
        self._report("diagnosticsNotice", text)

    def saved(self, path: Path) -> None:
        """Say where a recording or snapshot was saved."""
        text = self.tr("Saved {0} in {1}").format(path.name, path.parent)
        self._report("savedNotice", text, ((self.tr("Open folder"), partial(open_folder, path.parent)),))

    def scene_saved(self, name: str, keys: str) -> None:
        """Confirm that a scene was saved, and name the keys that apply it."""
        text = self.tr("Saved the scene “{0}”.").format(name)
        if keys:
            text = self.tr("Saved the scene “{0}”. {1} applies it.").format(name, keys)
        self._area.show_notice(Notice("sceneNotice", text, duration_ms=BRIEF_MS))

    def background_removed(self, name: str, restore: Callable[[], object] | None) -> None:
        """Confirm that a background was removed, with Undo where that is possible."""
        text = self.tr("Removed the background “{0}”.").format(name)
        if restore is None:
            self._report(REMOVED, text)
        else:
            self._report(REMOVED, text, ((self.tr("Undo"), restore),), Rank.UNDO)

    def report_full_zones(self) -> None:
        """Say that a stroke was not kept."""
        text = self.tr("There are {0} zones, as many as possible: remove some before you paint another.")
        self._report("zonesNotice", text.format(MAX_ZONES), rank=Rank.ERROR)

    def _report(
        self, key: str, text: str, actions: tuple[tuple[str, Callable[[], object]], ...] = (), rank: Rank = Rank.EVENT
    ) -> None:
        self._area.show_notice(Notice(key, text, actions, rank, BRIEF_MS))

    def _demo(self) -> Notice:
        text = self.tr("No camera found: only you see this demonstration. Connect a camera: it is used at once.")
        return Notice(DEMO, text)

    def _slow_camera(self, source: SourceInfo) -> Notice:
        text = self.tr("The camera reaches {0} × {1} only at {2} fps. Choose a smaller size or another format.")
        return Notice(SLOW_CAMERA, text.format(source.width, source.height, short(source.fps, 3)))

    def _no_virtual_camera(self) -> Notice:
        text = self.tr("Zoom and Meet cannot see Mattecam yet.")
        return Notice(NO_VIRTUAL_CAMERA, text, ((self.tr("Set up…"), self.virtual_camera_requested.emit),))

    def _model_missing(self, spec: WeightSpec) -> Notice:
        text = self.tr("The model “{0}” is not installed. The standard model is used instead.").format(
            describe_model(spec.name)
        )
        actions = ((download_caption(spec), self.download_requested.emit),) if spec.url is not None else ()
        return Notice(MISSING_MODEL, text, actions)

    def _follow_unmatted_start(self, settings: Settings) -> None:
        if not settings.paused or settings.background.kind != "none":
            self._area.show_while(UNMATTED_START, None)

    def _blur_and_resume(self) -> None:
        self._store.edit("background", kind="blur")
        self._store.set("paused", False)
