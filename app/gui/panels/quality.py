"""Automatic, standard and fine quality: which models they stand for, and what these cost here."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtGui import QPainter, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QWidget

from app.core.paths import assets_dir
from app.gui.panels.form import Form, say
from app.gui.panels.models import DownloadControls, Models
from app.gui.translation import describe_model, tr
from app.gui.widgets.controls import Segments
from app.gui.widgets.qt import scaled, timer
from app.matting.choice.choice import FineQuality
from app.settings import Settings
from models.table import bundled, recommended

STANDARD = bundled().name
FINE = recommended().name
# The models that the buttons of the quality stand for, in their order.
QUALITIES = ("auto", STANDARD, FINE)
# The same detail with both networks beside each other: a gap, where one shows the
# wall (`tools/quality_sample.py`).
SAMPLE = assets_dir() / "quality.jpg"
# Height in the usual font.
SAMPLE_PX = 80
# Between the halves of the sample.
SAMPLE_GAP_PX = 4
# Interval at which it is looked for a measurement that runs beside the picture.
MEASURED_MS = 3000


class Sample(QWidget):
    """The sample over the whole width, each half below its button; what has no room is cut."""

    def __init__(self) -> None:
        super().__init__()
        self._picture = QPixmap(str(SAMPLE))
        self.setFixedHeight(scaled(SAMPLE_PX, self))
        self.setAccessibleName(tr("The gap beside an arm in standard and in fine quality"))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        half = self._picture.width() // 2
        width = (self.width() - SAMPLE_GAP_PX) // 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        place = QRect(0, 0, width, self.height())
        part = place.size().scaled(half, self._picture.height(), Qt.AspectRatioMode.KeepAspectRatio)
        for number in range(2):
            source = QRect(QPoint(number * half, 0), part)
            target = place.translated(number * (width + SAMPLE_GAP_PX), 0)
            painter.drawPixmap(target, self._picture, source)


class QualityChoice(Form):
    """Automatic, Standard and Fine, which stand for models.

    None is pressed while another model is used. Fine takes effect after its download; until then
    the settings stay as they are.
    """

    def __init__(self, models: Models, *, suggests: bool = False) -> None:
        """suggests: whether Fine is pressed at first where it is recommended."""
        super().__init__(models.store)
        self._models = models
        self._suggests = suggests
        self._again = timer(self, MEASURED_MS, models.reload, once=True)
        self._choice = Segments(
            (
                (
                    # Not wider than "Automatic" in any language: with large letters the preview
                    # would have no room.
                    tr("Automatic", "the quality"),
                    tr("Fine where this computer has the time for it, else standard"),
                    "qualityAutomatic",
                ),
                (
                    tr("Standard"),
                    tr("Comes with Mattecam and needs little of this computer"),
                    "qualityStandard",
                ),
                (
                    tr("Fine"),
                    tr("Cleaner gaps, edges and hair; needs more of this computer"),
                    "qualityFine",
                ),
            )
        )
        self._download = DownloadControls(models, "fineDownload")
        self.add(self._choice, Sample())
        self._about = self.add_hint(object_name="qualityAbout")
        self.add(self._download)
        self._choice.chosen.connect(self._choose)
        models.changed.connect(self._follow)
        self.on_settings(self._show)

    def _follow(self) -> None:
        fine = self._models.fine
        if fine is not None and fine.share is None:
            # It is measured beside the picture: look again later.
            if self.isVisible():
                self._again.start()
        elif fine is not None:
            self._suggest(fine)
        self.refresh()

    def _suggest(self, fine: FineQuality) -> None:
        """Press Fine once, if it is recommended and the user has chosen nothing yet."""
        if not self._suggests or self.store.current.matting.model != "auto":
            return
        self._suggests = False
        if fine.recommended and self._models.missing(FINE) is not None:
            self._models.choose(FINE)

    def _choose(self, number: int) -> None:
        self._suggests = False
        self._models.choose(QUALITIES[number])

    def _show(self, settings: Settings) -> None:
        fine = self._models.fine
        wanted = self._models.wanted
        offered = self._models.offered
        self._download.setVisible(offered is not None and offered.name == FINE)
        if fine is None:
            return
        model = settings.matting.model
        model_in_use = fine.automatic if model == "auto" else model
        chosen = wanted or model
        number = QUALITIES.index(chosen) if chosen in QUALITIES else None
        self._choice.show_chosen(number)
        if number is None:
            about = tr("In use: {0}").format(describe_model(model_in_use))
        elif chosen == "auto":
            about = tr("In use: {0}. {1}").format(describe_model(model_in_use), _cost(fine))
        else:
            about = _cost(fine)
        if wanted == FINE:
            about = f"{about} {tr('Fine is used once it is downloaded.')}"
        say(self._about, about)


def _cost(fine: FineQuality) -> str:
    """Return what Fine needs of this computer."""
    if fine.share is None:
        return tr("How much Fine uses of this computer is not measured yet.")
    if not fine.holds_rate:
        return tr("Fine is too slow for 30 frames per second on this computer.")
    # In steps that a measurement can tell apart.
    percent = 5 * max(1, round(20 * min(fine.share, 1)))
    if fine.recommended:
        return tr("Recommended: Fine uses about {0} % of this computer.").format(percent)
    return tr("Fine uses about {0} % of this computer.").format(percent)
