"""The offer to download the model with finer hair, without a list of models."""

from __future__ import annotations

from PyQt6.QtWidgets import QWidget

from app.gui.dialogs.download_controls import DownloadControls, describe_size
from app.gui.i18n.messages import translated
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets.controls import label
from app.gui.widgets.layout import column


class FinerHair(QWidget):
    """One sentence and one button. The downloaded model is used at once."""

    def __init__(self, store: SettingsStore, tasks: Tasks) -> None:
        super().__init__()
        self._store, self._tasks = store, tasks
        self._text = label("", wrap=True)
        self._text.setObjectName("finerHair")
        self._failure = label("", "warning", wrap=True)
        self._failure.setObjectName("assistantFailure")
        self._controls = DownloadControls(tasks)
        self.download = self._controls.download
        column(self, self._text, self._controls, self._failure, spacing=12)
        self.download.began.connect(self._failure.clear)
        self.download.failed.connect(lambda sentence: self._failure.setText(translated(sentence)))
        self.download.succeeded.connect(self._use)

    def reload(self) -> None:
        """Check again whether the model is installed."""
        self._tasks.run(services.recommended_model, self._show)

    def _use(self, name: str) -> None:
        self._store.edit("matting", model=name)
        self.reload()

    def _show(self, choice: services.ModelChoice) -> None:
        if choice.installed:
            self._text.setText(self.tr("The model with finer hair is installed."))
        else:
            text = self.tr("Standard works now. For finer hair, download {0}.")
            self._text.setText(text.format(describe_size(choice)))
        self._controls.offer(None if choice.installed else choice)
