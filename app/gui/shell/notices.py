"""What the notices above the preview say: states of the program, problems with what helps, and events."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from app.capture.camera import SLOW_FPS
from app.core.errors import Stage, Text, t
from app.core.settings import MAX_ZONES
from app.gui.dialogs.download_controls import download_caption
from app.gui.dialogs.questions import open_folder
from app.gui.i18n.messages import describe_model, short, translated
from app.gui.state.store import SettingsStore
from app.gui.widgets.notices import Act, Notice, NoticeArea, Rank
from app.runtime.status import Phase, PipelineStatus, Problem
from models.spec import WeightSpec


class Remedy(Enum):
    """What can be done about a problem: the caption of its button, in English."""

    CAMERA = t("Choose another camera")
    SOURCE = t("Choose another source")
    MODEL = t("Choose another model")
    MATTING_SETTINGS = t("Show the settings")
    PLATE = t("Take a picture of the empty room…")
    BLUR = t("Blur the background")
    VIRTUAL_CAMERA = t("Set up…")
    RECORDINGS_FOLDER = t("Choose another folder")
    RETRY = t("Try again")


_OF_STAGE = {
    Stage.CAPTURE: Remedy.CAMERA,
    Stage.MATTING: Remedy.MODEL,
    Stage.BACKGROUND: Remedy.BLUR,
    Stage.VIRTUAL_CAMERA: Remedy.VIRTUAL_CAMERA,
    Stage.PIPEWIRE: Remedy.VIRTUAL_CAMERA,
    Stage.RECORDING: Remedy.RECORDINGS_FOLDER,
}
_ADVISED: dict[Stage, tuple[tuple[str, Remedy | None], ...]] = {
    Stage.CAPTURE: ((r"\{file\}|camera:INDEX", Remedy.SOURCE),),
    Stage.MATTING: (
        ("empty room|Someone is still in view", Remedy.PLATE),
        ("another model|model it belongs to", Remedy.MODEL),
        ("choose the model again|was cancelled", Remedy.RETRY),
        ("matting continues|^The model does not respond|^Preparing", None),
        (
            r"executor|(the|another) device|precision|\bdetail\b|needs PyTorch|the part that runs here",
            Remedy.MATTING_SETTINGS,
        ),
    ),
    Stage.RECORDING: (("^The encoder", None),),  # the recording goes on
}
"""Words of templates that advise something else than others of their stage. None: there is nothing to do."""


def remedy_of(problem: Problem) -> Remedy | None:
    """Return what to offer for a problem; None if nothing helps or is needed."""
    usual = _OF_STAGE.get(problem.stage, Remedy.RETRY)
    if not isinstance(problem.message, Text):
        return usual
    advised = _ADVISED.get(problem.stage, ())
    return next((found for words, found in advised if re.search(words, problem.message.template)), usual)


BRIEF_MS = 12_000
"""How long a notice about something that was done stays."""
EVENT_MS = 30_000
"""How long the error of a single action, or of a file, stays."""
OUTAGES = Stage.CAPTURE, Stage.MATTING, Stage.OUTPUT, Stage.RECORDING  # what is not recorded is lost
"""Stages whose problems are not just errors."""


class ProgramNotices(QObject):
    """Shows notices in an area. A problem of a file leaves by itself: its tile, or its row in the panel, says it."""

    remedy_chosen = pyqtSignal(object)
    """The Remedy that the user chose."""
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
        self._asks_before_unmatted = False
        self._status = PipelineStatus()
        store.changed.connect(self._show_states)

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._virtual_cameras = cameras

    def ask_before_unmatted(self) -> None:
        """Ask whether to show the real background: the saved settings say so, and the program started paused."""
        self._asks_before_unmatted = True
        self._show_states()

    def show_status(self, status: PipelineStatus) -> None:
        """Show what the pipeline has to say."""
        self._status = status
        self._show_states()

    def show_error(self, message: str, *, lasting: bool = False) -> None:
        """Show an error of the window. It goes after a while, unless it is `lasting`; then until it is dismissed.

        The failure of what the user has just done comes before other errors.
        """
        rank, duration_ms = (Rank.ERROR, 0) if lasting else (Rank.OUTAGE, EVENT_MS)
        self._area.show_notice(Notice(f"error {message}", translated(message), (), rank, duration_ms))

    def diagnostics_copied(self) -> None:
        """Confirm that the diagnostics are on the clipboard."""
        self._report("diagnosticsNotice", self.tr("Diagnostics copied to the clipboard."))

    def saved(self, path: Path) -> None:
        """Say where a recording or snapshot was saved."""
        text = self.tr("Saved {0} in {1}").format(path.name, path.parent)
        self._report("savedNotice", text, ((self.tr("Open folder"), partial(open_folder, path.parent)),))

    def scene_saved(self, name: str, keys: str) -> None:
        """Confirm that a scene was saved, and name the keys that apply it."""
        text = self.tr("Saved the scene “{0}”.").format(name)
        if keys:
            text = self.tr("Saved the scene “{0}”. {1} applies it.").format(name, keys)
        self._report("sceneNotice", text, rank=Rank.STATE)

    def background_removed(self, name: str, restore: Callable[[], object] | None) -> None:
        """Confirm that a background was removed, with Undo where that is possible."""
        text = self.tr("Removed the background “{0}”.").format(name)
        if restore is None:
            self._report("removedNotice", text)
        else:
            self._report("removedNotice", text, ((self.tr("Undo"), restore),), Rank.UNDO)

    def report_full_zones(self) -> None:
        """Say that a stroke was not kept."""
        text = self.tr("There are {0} zones, as many as possible: remove some before you paint another.")
        self._report("zonesNotice", text.format(MAX_ZONES), rank=Rank.ERROR)

    def _report(self, key: str, text: str, actions: tuple[tuple[str, Act], ...] = (), rank: Rank = Rank.EVENT) -> None:
        self._area.show_notice(Notice(key, text, actions, rank, BRIEF_MS))

    def _show_states(self) -> None:
        missing = self._missing_model()
        # A model that is not installed is a problem of matting too; its own notice has the better remedy.
        problems = (each for each in self._status.problems if missing is None or each.stage is not Stage.MATTING)
        self._area.show_states([*self._states(missing), *map(self._problem, problems)])

    def _states(self, missing: WeightSpec | None) -> Iterator[Notice]:
        """Yield the notices about what holds now beside problems. missing: the model that is not installed."""
        settings, status = self._store.current, self._status
        source = status.source
        if not settings.paused or settings.background.kind != "none":
            self._asks_before_unmatted = False
        if self._asks_before_unmatted:
            text = self.tr("Paused: the saved background is “None”, which shows your real background to others.")
            answers = (
                (self.tr("Use blur"), self._blur_and_resume),
                (self.tr("Show it"), partial(self._store.set, "paused", False)),
            )
            yield Notice("unmattedStartNotice", text, answers, Rank.QUESTION)
        if settings.capture.source == "auto" and source is not None and source.kind == "demo":
            text = self.tr("No camera found: only you see this demonstration. Connect a camera: it is used at once.")
            yield Notice("demoNotice", text)
        if source is not None and source.kind == "camera" and 0 < source.fps <= SLOW_FPS < settings.capture.fps:
            text = self.tr("The camera reaches {0} × {1} only at {2} fps. Choose a smaller size or another format.")
            yield Notice("slowCameraNotice", text.format(source.width, source.height, short(source.fps, 3)))
        unseen = status.virtual_camera is None and status.pipewire is None and status.phase is not Phase.STOPPED
        if settings.output.virtual_camera == "auto" and unseen and self._virtual_cameras == ():
            set_up = self.tr("Set up…"), partial(self.remedy_chosen.emit, Remedy.VIRTUAL_CAMERA)
            yield Notice("virtualCameraNotice", self.tr("Zoom and Meet cannot see Mattecam yet."), (set_up,))
        if missing is not None:
            text = self.tr("The model “{0}” is not installed. The standard model is used instead.")
            download = download_caption(missing), self.download_requested.emit
            actions = (download,) if missing.url is not None else ()
            yield Notice("missingModelNotice", text.format(describe_model(missing.name)), actions)

    def _problem(self, problem: Problem) -> Notice:
        of_choice = problem.stage in (Stage.BACKGROUND, Stage.MATTING, Stage.OUTPUT)
        of_file = of_choice and isinstance(problem.message, Text) and "file" in problem.message.values
        leaves = of_file and self._status.phase in (Phase.RUNNING, Phase.PAUSED)  # what was in use before goes on
        remedy = remedy_of(problem)
        return Notice(
            f"error {problem.stage.name}: {problem.message}",
            translated(problem.message),
            () if remedy is None else ((translated(remedy.value), partial(self.remedy_chosen.emit, remedy)),),
            Rank.OUTAGE if problem.stage in OUTAGES else Rank.ERROR,
            EVENT_MS if leaves else 0,
            heading=self._stage_text(problem.stage),
            at_s=problem.at_s,
        )

    def _stage_text(self, stage: Stage) -> str:
        return {
            Stage.CAPTURE: self.tr("Camera"),
            Stage.MATTING: self.tr("Matting"),
            Stage.BACKGROUND: self.tr("Background"),
            Stage.VIRTUAL_CAMERA: self.tr("Virtual camera"),
            Stage.PIPEWIRE: self.tr("PipeWire camera"),
            Stage.RECORDING: self.tr("Recording"),
            Stage.MICROPHONE: self.tr("Microphone"),
            Stage.OUTPUT: self.tr("Output"),
            Stage.SETTINGS: self.tr("Settings"),
        }[stage]

    def _blur_and_resume(self) -> None:
        self._store.edit("background", kind="blur")
        self._store.set("paused", False)
