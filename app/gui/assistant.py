"""The setup assistant of the first run: camera, background, and the way into a call.

Every step can be skipped.
"""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QDialog, QFrame, QScrollArea, QStackedWidget, QWidget

from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.backgrounds.tiles import TileView
from app.gui.bridge import Bridge, ViewRequest, render, to_qimage
from app.gui.doctor import Findings
from app.gui.panels.form import Form, say
from app.gui.panels.quality import QualityChoice
from app.gui.panels.side_panel import SidePanel
from app.gui.state import SettingsStore, Tasks
from app.gui.translation import tr
from app.gui.widgets.controls import button, combo, fill_combo, label
from app.gui.widgets.qt import column, existing, row, set_up_dialog
from app.runtime.status import PipelineStatus


def add_languages(form: Form) -> None:
    """Add a list of the languages, and say when a change applies."""
    # The window is built in one language.
    form.row("window.language")
    form.add_hint(tr("Another language is used from the next start on."))


class SmallPreview(QWidget):
    """A small picture of what others see, whatever the window shows beside it.

    It is mirrored as the preview of the window is.
    """

    def __init__(self, store: SettingsStore, bridge: Bridge) -> None:
        super().__init__()
        self._store = store
        self._bridge = bridge
        self.setMinimumSize(QSize(240, 135))
        self.setAccessibleName(tr("Preview"))
        bridge.frame_ready.connect(self.update)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        picture = self._bridge.picture
        if picture is None:
            return
        ratio = self.devicePixelRatioF()
        request = ViewRequest(
            round(self.width() * ratio),
            round(self.height() * ratio),
            mirror=self._store.current.window.mirror_preview,
        )
        image = to_qimage(render(picture, request))
        image.setDevicePixelRatio(ratio)
        rect = QRectF(QPointF(), image.deviceIndependentSize())
        rect.moveCenter(QRectF(self.rect()).center())
        QPainter(self).drawImage(rect.topLeft(), image)


class Assistant(QDialog):
    """Three steps in a dialog beside the running window, which scroll on a small screen."""

    def __init__(
        self,
        bridge: Bridge,
        panel: SidePanel,
        strip: BackgroundStrip,
        tasks: Tasks,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        set_up_dialog(self, "assistant", tr("Set up Mattecam"), 640, 580)
        self._store = panel.models.store
        self._models = panel.models
        self._source = panel.camera
        self._output = panel.virtual_camera
        self._steps = QStackedWidget()
        self._findings = Findings(tasks, "virtual camera")
        self._findings.repaired.connect(bridge.retry)
        self.finished.connect(bridge.retry)
        self._quality = QualityChoice(panel.models, suggests=True)
        self._steps.addWidget(self._camera_step(bridge))
        self._steps.addWidget(self._background_step(bridge, strip))
        self._steps.addWidget(self._call_step())
        self._count = label("", "faint")
        self._skip = button(
            tr("Skip setup"),
            tr("You can open it again from the menu"),
            "assistantSkip",
            self.reject,
            link=True,
        )
        self._back = button(
            tr("Back"),
            tr("Go to the previous step"),
            "assistantBack",
            lambda: self.show_step(self.step - 1),
        )
        self._next = button(
            tr("Next"),
            tr("Go to the next step"),
            "assistantNext",
            self._advance,
            primary=True,
        )
        self._next.setDefault(True)
        buttons = row(None, self._skip, self._count, None, self._back, self._next, spacing=10)
        column(self, self._steps, buttons, grows=self._steps, spacing=16, margins=(24, 22, 24, 18))
        self.show_step(0)
        bridge.status_changed.connect(self._show_status)
        self._show_status(bridge.status)

    @property
    def step(self) -> int:
        """Index of the current step, from 0."""
        return self._steps.currentIndex()

    def done(self, result: int) -> None:
        self._models.forget()
        self._store.set("window.first_run_done", True)
        super().done(result)

    def _camera_step(self, bridge: Bridge) -> QWidget:
        self._camera = combo(tr("Camera"), tr("Source of the video"), "assistantCamera")
        self._camera.activated.connect(
            lambda _row: self._source.choose_source(self._camera.currentData()),
        )
        self._demo = label("", "warning", wrap=True)
        self._demo.setObjectName("assistantDemo")
        content = QWidget()
        lists = Form(self._store)
        small = SmallPreview(self._store, bridge)
        add_languages(lists)
        lists.add_row(self._camera.accessibleName(), self._camera)
        column(content, lists, self._demo, small, grows=small, spacing=12)
        self._source.sources_changed.connect(self._show_cameras)
        self._show_cameras()
        return _step(
            tr("Camera"),
            tr("Choose your camera. Nobody else sees this preview."),
            content,
        )

    def _background_step(self, bridge: Bridge, strip: BackgroundStrip) -> QWidget:
        tiles = TileView(strip.model, "assistantBackgrounds", wraps=True)
        tiles.setMinimumHeight(tiles.tile_size.height() + 8)
        tiles.chosen.connect(strip.choose)
        content = QWidget()
        halves = column(content, SmallPreview(self._store, bridge), tiles, spacing=12)
        halves.setStretch(0, 1)
        halves.setStretch(1, 1)
        return _step(
            tr("Background"),
            tr("Choose what others see behind you. You can change it later."),
            content,
        )

    def _call_step(self) -> QWidget:
        self._call = label("", wrap=True)
        self._call.setObjectName("assistantCall")
        content = QWidget()
        quality = label(tr("Quality"), "heading")
        column(
            content,
            self._call,
            self._findings,
            quality,
            self._quality,
            grows=self._findings,
            spacing=12,
        )
        return _step(tr("In a call"), "", content)

    def _show_status(self, status: PipelineStatus) -> None:
        """Say when the picture is not that of a camera, and how it gets into a call."""
        self._call.setText(self._call_text(status))
        text = ""
        if status.source is not None and status.source.kind == "demo":
            text = tr("You see a demonstration, not your camera.")
            if self._store.current.capture.source == "auto":
                text = tr("No camera was found. Connect a camera: it is used at once.")
        say(self._demo, text)

    def _call_text(self, status: PipelineStatus) -> str:
        camera = self._output.name_of(status)
        if camera is not None:
            return tr(
                "In Zoom, Meet or Teams, choose the camera “{0}”: it is listed beside your own "
                "camera in the settings for video. Restart a program that does not list it."
            ).format(camera)
        if status.pipewire is not None:
            return tr(
                "In Meet, Teams or Zoom in a browser, choose the camera “{0}”. "
                "Programs outside the browser cannot see Mattecam yet."
            ).format(status.pipewire)
        return tr("Zoom, Meet and Teams cannot see Mattecam yet.")

    def _show_cameras(self) -> None:
        fill_combo(self._camera, self._source.sources(), self._store.current.capture.source)

    def _advance(self) -> None:
        if self.step + 1 < self._steps.count():
            self.show_step(self.step + 1)
        else:
            self.accept()

    def show_step(self, step: int) -> None:
        """Show a step by its index, from 0."""
        self._steps.setCurrentIndex(step)
        is_last = step + 1 == self._steps.count()
        self._back.setEnabled(step > 0)
        self._skip.setVisible(not is_last)
        if step > 0:
            # The control that had the focus is on another page.
            self._next.setFocus()
        page = self._steps.currentWidget()
        assert isinstance(page, QScrollArea)
        # Qt scrolled to the control that it gave the focus, below the title.
        existing(page.verticalScrollBar()).setValue(0)
        caption = tr("Done") if is_last else tr("Next")
        self._next.setText(caption)
        self._next.setAccessibleName(caption)
        self._count.setText(tr("Step {0} of {1}").format(step + 1, self._steps.count()))
        if is_last:
            self._findings.check()
            self._models.reload()


def _step(title: str, text: str, content: QWidget) -> QWidget:
    whole = QWidget()
    page = QScrollArea()
    above = [label(title, "title")]
    if text:
        above.append(label(text, wrap=True))
    column(whole, *above, content, grows=content, spacing=12)
    page.setObjectName("assistantPage")
    page.setAccessibleName(title)
    page.setWidgetResizable(True)
    page.setFrameShape(QFrame.Shape.NoFrame)
    # Its controls take the focus, and it scrolls to them.
    page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    page.setWidget(whole)
    return page
