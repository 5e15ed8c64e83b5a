"""Choice of the matting model, and the download of models that are not installed."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QWidget

from app.core.settings import Settings
from app.gui.dialogs.download_controls import DownloadControls, describe_size
from app.gui.i18n.model_names import describe_model
from app.gui.panels.plate import PlateControls
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import combo, fill_combo, label
from app.gui.widgets.layout import column
from app.matting.base.interface import EngineInfo
from app.runtime.status import PipelineStatus


class NetworkControls(QWidget):
    """The list of models, installed ones first, with a download button, progress and cancel.

    A model that is not installed is only marked for download: the settings change after the download.
    """

    model_installed = pyqtSignal()
    """A download ended well."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self._store = store
        self._tasks = tasks
        self._choices: tuple[services.ModelChoice, ...] = ()
        self._pending: str | None = None
        """The model chosen in the list that has to be downloaded before it can be used."""
        self._model_shown = store.current.matting.model
        self._controls = DownloadControls(tasks)
        self.download = self._controls.download
        self._model = combo(self.tr("Model"), self.tr("The network that separates you from the background"),
                            "modelCombo")  # fmt: skip
        self._used = label("", "faint", wrap=True)
        self._missing = label("", "faint", wrap=True)
        self._missing.setObjectName("modelMissing")
        self.plate = PlateControls(store, tasks)
        caption = label(self.tr("Model"))
        caption.setBuddy(self._model)
        column(self, caption, self._model, self._used, self._missing, self._controls, self.plate, spacing=4)
        self._model.activated.connect(lambda _row: self._choose(str(self._model.currentData())))
        self.download.succeeded.connect(self._use_downloaded)
        self.download.ended.connect(self.reload)
        store.changed.connect(self._show)
        self._show(store.current)
        self._show_used(None)

    @property
    def missing_model(self) -> services.ModelChoice | None:
        """The model of the settings if it is not installed, so that another one is used in its place."""
        matting = self._store.current.matting
        choice = self._choice(matting.model)
        return choice if choice is not None and not choice.installed and matting.weights is None else None

    def reload(self) -> None:
        """Check again which models are installed."""
        self._tasks.run(services.models, self._set_choices)

    def show_status(self, status: PipelineStatus) -> None:
        """Name the model in use where it differs from the chosen one."""
        self._show_used(status.engine)
        self.plate.show_status(status)

    def _show_used(self, engine: EngineInfo | None) -> None:
        """Show the model in use; the row of "Automatic" is there before it is known, so that the page does not jump."""
        model = self._store.current.matting.model
        used = engine.model if engine is not None else model
        self._used.setText(self.tr("In use: {0}").format(describe_model(used)) if used != model else "")
        self._used.setVisible(used != model or model == "auto")

    def open_model_list(self) -> None:
        """Open the list of models."""
        self._model.setFocus()
        self._model.showPopup()

    def download_missing(self) -> None:
        """Download the model of the settings, which is not installed."""
        self._pending = self._store.current.matting.model
        self._show(self._store.current)
        self._controls.start()

    def _choice(self, name: str) -> services.ModelChoice | None:
        return next((choice for choice in self._choices if choice.name == name), None)

    def _choose(self, name: str) -> None:
        choice = self._choice(name)
        if choice is not None and not choice.installed:
            self._pending = name
        else:
            self._pending = None
            self._store.edit("matting", model=name)
        self._show(self._store.current)

    def _use_downloaded(self, name: str) -> None:
        # The list is read again in the background; until then the button must not offer the download once more.
        self._choices = tuple(replace(one, installed=True) if one.name == name else one for one in self._choices)
        if self._pending == name:
            self._pending = None
            self._store.edit("matting", model=name)
        self.model_installed.emit()

    def _set_choices(self, choices: tuple[services.ModelChoice, ...]) -> None:
        self._choices = choices
        self._show(self._store.current)

    def _show(self, settings: Settings) -> None:
        if settings.matting.model != self._model_shown:
            self._model_shown, self._pending = settings.matting.model, None
        model = self._pending or settings.matting.model
        fill_combo(self._model, self._entries(model), model)
        choice = self._choice(model)
        missing = choice is not None and not choice.installed and (self._pending or settings.matting.weights is None)
        if choice is not None and missing:
            size = describe_size(choice) or self.tr("size unknown")
            self._missing.setText(self.tr("Not installed: {0}, licence {1}").format(size, choice.licence))
        self._missing.setVisible(bool(missing))
        self._controls.offer(choice if missing else None)

    def _entries(self, model: str) -> list[tuple[str, object]]:
        entries: list[tuple[str, object]] = [(describe_model("auto"), "auto")]
        for choice in sorted(self._choices, key=lambda choice: not choice.installed):
            text = describe_model(choice.name)
            if not choice.installed:
                text = self._to_download(text, choice)
            entries.append((text, choice.name))
        if model not in (data for _text, data in entries):
            entries.append((describe_model(model), model))
        return entries

    def _to_download(self, title: str, choice: services.ModelChoice) -> str:
        size = describe_size(choice)
        if choice.downloadable and size:
            return self.tr("{0} – download {1}").format(title, size)
        return self.tr("{0} – not installed").format(title)
