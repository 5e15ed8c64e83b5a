"""Which network, what is missing for it, and getting it."""

from __future__ import annotations

from PyQt6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.core.settings import Settings
from app.gui.dialogs.download import Download
from app.gui.i18n.model_names import describe_model
from app.gui.panels.plate import PlateControls
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import button, combo, describe, fill_combo, label
from app.runtime.status import PipelineStatus

MEGABYTE = 1_000_000


class NetworkControls(QWidget):
    """The model's combo box; below it, only where weights are missing, a download with progress and cancel."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self._store = store
        self._tasks = tasks
        self._choices: tuple[services.ModelChoice, ...] = ()
        self.download = Download(tasks, self)
        self._model = combo(self.tr("Model"), self.tr("The network that cuts you out"), "modelCombo")
        self._used = label("", "faint", wrap=True)
        self._missing = label("", "faint", wrap=True)
        self._bar = QProgressBar()
        describe(self._bar, self.tr("Download"), self.tr("How much of the model has come"), "downloadProgress")
        self._get = button(self.tr("Download"))
        describe(self._get, self.tr("Download the model"), self.tr("Get the model's weights now"), "downloadButton")
        self._stop = button(self.tr("Cancel"))
        describe(self._stop, self.tr("Cancel the download"), self.tr("Stop the download"), "downloadCancel")
        self.plate = PlateControls(store, tasks)
        row = QHBoxLayout()
        row.addWidget(self._get)
        row.addWidget(self._bar, 1)
        row.addWidget(self._stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (label(self.tr("Model")), self._model, self._used, self._missing):
            column.addWidget(widget)
        column.addLayout(row)
        column.addWidget(self.plate)
        self._model.activated.connect(lambda _row: store.edit("matting", model=self._model.currentData()))
        self._get.clicked.connect(self._start_download)
        self._stop.clicked.connect(self.download.cancel)
        self.download.progressed.connect(self._show_progress)
        self.download.ended.connect(self.reload)
        store.changed.connect(self._show)
        self._show(store.current)

    def reload(self) -> None:
        """Look anew which models are on hand."""
        self._tasks.run(services.models, self._take_choices)

    def show_status(self, status: PipelineStatus) -> None:
        """Which model really runs, where that is not the chosen one's name."""
        model = self._store.current.matting.model
        used = status.engine.model if status.engine is not None else model
        self._used.setText(self.tr("In use: {0}").format(describe_model(used)) if used != model else "")
        self._used.setVisible(used != model)
        self.plate.show_status(status)

    def offer(self) -> None:
        """Open the list of models."""
        self._model.setFocus()
        self._model.showPopup()

    def _start_download(self) -> None:
        self._bar.setRange(0, 0)
        self.download.start(self._store.current.matting.model)
        self._show(self._store.current)

    def _take_choices(self, choices: tuple[services.ModelChoice, ...]) -> None:
        self._choices = choices
        self._show(self._store.current)

    def _show_progress(self, got: int, total: int) -> None:
        self._bar.setRange(0, total)
        self._bar.setValue(got)

    def _show(self, settings: Settings) -> None:
        model = settings.matting.model
        entries: list[tuple[str, object]] = [(describe_model("auto"), "auto")]
        for choice in self._choices:
            text = describe_model(choice.name)
            entries.append((text if choice.on_hand else self.tr("{0} (to be downloaded)").format(text), choice.name))
        if model not in (data for _text, data in entries):
            entries.append((describe_model(model), model))
        fill_combo(self._model, entries, model)
        chosen = next((choice for choice in self._choices if choice.name == model), None)
        missing = chosen is not None and not chosen.on_hand and settings.matting.weights is None
        loading = self.download.running
        if chosen is not None and missing:
            size = f"{chosen.bytes / MEGABYTE:.0f} MB" if chosen.bytes else self.tr("size unknown")
            self._missing.setText(self.tr("Not on hand: {0}, licence {1}").format(size, chosen.licence))
        self._missing.setVisible(missing)
        self._get.setVisible(chosen is not None and missing and chosen.can_be_had and not loading)
        self._bar.setVisible(loading)
        self._stop.setVisible(loading)
