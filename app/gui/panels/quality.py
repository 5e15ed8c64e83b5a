"""The choice between the standard network and a finer one, with what the finer one costs on this computer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtGui import QPainter, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QWidget

from app.core.files.paths import assets_dir
from app.core.settings import Settings
from app.gui.dialogs.download_controls import DownloadControls
from app.gui.i18n.messages import describe_model, translated
from app.gui.panels.form import Form, say
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import Segments, selectable
from app.gui.widgets.qt import scaled, timer
from app.matting.base.interface import EngineInfo
from app.runtime.status import PipelineStatus
from models.table import bundled

SAMPLE = assets_dir() / "quality.jpg"
"""The same detail with both networks beside each other; made by `tools/quality_sample.py`."""
SAMPLE_PX = 80
"""Height of the sample, in the usual font."""
MEASURED_MS = 3000
"""Interval at which it is looked for a measurement that runs beside the picture."""
STANDARD, FINE = 0, 1
"""Numbers of the buttons."""


class Sample(QWidget):
    """The sample over the whole width, each half below its button; what has no room is cut."""

    def __init__(self) -> None:
        super().__init__()
        self._picture = QPixmap(str(SAMPLE))
        self.setFixedHeight(scaled(SAMPLE_PX, self))
        self.setAccessibleName(self.tr("Hair in standard and in fine quality"))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter, half, width = QPainter(self), self._picture.width() // 2, self.width() // 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        place = QRect(0, 0, width, self.height())
        part = place.size().scaled(half, self._picture.height(), Qt.AspectRatioMode.KeepAspectRatio)
        for number in range(2):
            source = QRect(QPoint(number * half, 0), part)
            painter.drawPixmap(place.translated(number * width, 0), self._picture, source)


class QualityChoice(Form):
    """Standard and Fine, which stand for models; neither is pressed while another model is used.

    Fine takes effect after its download. Until then, and after a download that failed, the settings stay as they are.
    """

    def __init__(self, store: SettingsStore, tasks: Tasks, *, suggests: bool = False) -> None:
        """suggests: whether Fine is pressed at first where it is recommended."""
        super().__init__(store)
        self._tasks, self._suggests = tasks, suggests
        self._found: services.FineQuality | None = None
        self._wanted = False
        """Whether Fine is pressed, but still has to be downloaded."""
        self._again = timer(self, MEASURED_MS, self.reload, once=True)
        self._model = store.current.matting.model
        self._engine: EngineInfo | None = None
        self._choice = Segments((
            (self.tr("Standard"), self.tr("Comes with Mattecam and needs little of this computer"), "qualityStandard"),
            (self.tr("Fine"), self.tr("Cleaner edges and hair; needs more of this computer"), "qualityFine"),
        ))  # fmt: skip
        self.download = DownloadControls(tasks, "fineDownload")
        self.add(self._choice, Sample())
        self._about = self.add_hint(object_name="qualityAbout")
        self.add(self.download)
        self._failure = selectable("", "warning")  # it names an address
        self._failure.setObjectName("qualityFailure")
        self._failure.hide()
        self.add(self._failure)
        self._choice.chosen.connect(self._choose)
        self.download.began.connect(partial(self._choose, FINE))
        self.download.failed.connect(self._fail)
        self.download.succeeded.connect(self._install)
        self.on_settings(self._show)

    def reload(self) -> None:
        """Look again at what is installed and measured."""
        matting = self.store.current.matting
        self._tasks.run(lambda: services.fine_quality(matting), self._take)

    def show_status(self, status: PipelineStatus) -> None:
        """Look again with each engine: a model may have been installed, or measured."""
        if status.engine != self._engine:
            self._engine = status.engine
            self.reload()

    def _take(self, found: services.FineQuality) -> None:
        self._found = found
        if found.share is None and self.isVisible():
            self._again.start()
        elif self._suggests and self.store.current.matting.model == "auto":
            self._suggests, self._wanted = False, found.recommended and found.report.path is None
        self.refresh()

    def _choose(self, number: int) -> None:
        found = self._found
        if found is None:
            return
        say(self._failure, "")
        self._suggests = False
        self._wanted = number == FINE and found.report.path is None
        if number == STANDARD:
            self.download.cancel()
            self._use("auto" if found.automatic == bundled().name else bundled().name)
        elif not self._wanted:
            self._use(found.report.spec.name)
        self.refresh()

    def _use(self, model: str) -> None:
        self.store.edit("matting", model=model, weights=None)

    def _install(self, model: str, file: Path) -> None:
        if self._found is not None:  # until it is read again, the download must not be offered once more
            self._found = replace(self._found, report=replace(self._found.report, path=file))
        if self._wanted:
            self._wanted = False
            self._use(model)
        self.reload()

    def _fail(self, reason: str) -> None:
        self._wanted = False
        say(self._failure, translated(reason))
        self.refresh()

    def _show(self, settings: Settings) -> None:
        found, matting = self._found, settings.matting
        if matting.model != self._model:  # also where it was chosen elsewhere
            self._model, self._wanted = matting.model, False
        if found is None:
            return
        fine = found.report.spec.name
        used = found.automatic if matting.model == "auto" else matting.model
        shown = fine if self._wanted else used
        number = {bundled().name: STANDARD, fine: FINE}.get(shown)
        self._choice.show_chosen(number)
        about = self.tr("In use: {0}").format(describe_model(used)) if number is None else self._cost(found)
        say(self._about, f"{about} {self.tr('Fine is used once it is downloaded.')}" if self._wanted else about)
        failed = bool(self._failure.text()) and number is not None
        self._failure.setVisible(failed)
        in_settings = used == fine and matting.weights is None
        offered = found.report.path is None and (self._wanted or failed or in_settings)
        self.download.offer(found.report.spec if offered else None)
        self.download.setVisible(offered)

    def _cost(self, found: services.FineQuality) -> str:
        """Return what Fine needs of this computer."""
        if found.share is None:
            return self.tr("How much Fine uses of this computer is not measured yet.")
        if not found.holds_rate:
            return self.tr("Fine is too slow for 30 frames per second on this computer.")
        limits = (
            (0.06, self.tr("a small part")), (0.17, self.tr("about a tenth")), (0.29, self.tr("about a quarter")),
            (0.42, self.tr("about a third")), (0.62, self.tr("about half")), (0.87, self.tr("about three quarters")),
        )  # fmt: skip
        part = next((words for limit, words in limits if found.share < limit), self.tr("almost all"))
        if found.recommended:
            return self.tr("Recommended: Fine uses {0} of this computer.").format(part)
        return self.tr("Fine uses {0} of this computer.").format(part)
