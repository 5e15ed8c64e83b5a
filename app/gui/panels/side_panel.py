"""The side panel: what everybody needs, and behind "All settings" the rest in groups."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QHideEvent, QKeySequence, QShortcut
from PyQt6.QtWidgets import QLineEdit, QWidget

from app.config.setting import SETTINGS
from app.core.geometry import WHOLE
from app.effects.zones import Zone
from app.gui.panels.devices import (
    CameraControls,
    RecordingControls,
    TurnControls,
    VirtualCameraControls,
)
from app.gui.panels.experts import ModelControls
from app.gui.panels.form import Form
from app.gui.panels.models import Models
from app.gui.panels.quality import QualityChoice
from app.gui.preview.view import Preview
from app.gui.state import DeviceWatcher, SettingsStore, Tasks
from app.gui.translation import standby_text, tr
from app.gui.widgets.controls import Segments, ValueSlider, button, percent
from app.gui.widgets.page import Collapsible, Page
from app.gui.widgets.qt import application, column, scaled, was_hidden
from app.runtime.status import PipelineStatus
from app.settings import Settings

# Kinds of background that have a position.
LAID_OUT = ("image", "video")


def _sign_across(store: SettingsStore) -> int:
    """Return the sign of the pan that moves a picture to the right of the preview."""
    return 1 if store.current.window.mirror_preview else -1


class FramingControls(Form):
    """What of the frame is shown: who, and where.

    The sliders move what the preview shows to its right and down.
    """

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self.add_effects("people")
        self.row("framing.zoom")
        self.enable_while(
            lambda settings: settings.framing.zoom > 1,
            self.row("framing.pan_x", sign=lambda: _sign_across(store)),
            self.row("framing.pan_y", sign=lambda: -1),
        )
        self.add_hint(
            tr(
                "Turn the mouse wheel over the preview to zoom; drag to move. Auto-framing pauses "
                "while you zoom.",
            ),
        )
        self.add_link(
            tr("Reset zoom"),
            tr("Show the whole camera image"),
            "framingReset",
            lambda: store.edit("framing", **dict(WHOLE)),
            lambda settings: settings.framing != WHOLE,
        )


class LightSliders(Form):
    """One slider per control; each takes effect while it is dragged."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self.add_effects("light")
        self._match = SETTINGS["light.match"]
        self._needs_picture = self.add_hint(
            tr(
                "Light match needs an image or a video as background: a blurred room has your "
                "light already.",
            ),
        )
        self.on_settings(self._show_hint)

    def _show_hint(self, settings: Settings) -> None:
        is_matched = self._match.value_in(settings) > self._match.default
        has_picture = settings.background.kind in LAID_OUT
        self._needs_picture.setVisible(is_matched and not has_picture)


CENTRED = {"zoom": 1.0, "pan_x": 0.0, "pan_y": 0.0}


class BackgroundViewControls(Form):
    """Bokeh, and the zoom and both directions of a picture. Left and right are the preview's."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self.enable_while(
            lambda settings: settings.background.kind == "blur",
            self.row("background.bokeh"),
        )
        self.enable_while(
            lambda settings: settings.background.kind in LAID_OUT,
            self.row("background.zoom"),
            self.row("background.pan_x", sign=lambda: _sign_across(store)),
            self.row("background.pan_y", sign=lambda: -1),
        )
        self.add_link(
            tr("Centre the background"),
            tr("Show the background without zoom"),
            "backgroundReset",
            lambda: store.edit("background", **CENTRED),
            lambda now: not CENTRED.items() <= dict(now.background).items(),
        )


# Size of the brush at first.
BRUSH_PERCENT = 5


class ZoneControls(Form):
    """Takes the brush, and removes zones of the camera in use.

    A click meant otherwise must paint nothing: the brush ends when the focus leaves the preview and
    these controls.
    """

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self._camera = ""
        self.brush = button(
            tr("Always hide"),
            tr("What you paint is never shown, not even people"),
            "dropBrush",
            checkable=True,
        )
        end = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.put_away)
        end.setAutoRepeat(False)
        end.setEnabled(False)
        self.brush.toggled.connect(end.setEnabled)
        application().focusChanged.connect(self._keep_within)
        self.add(self.brush)
        self.add_hint(tr("Paint on the picture; Esc ends."), "brushHint")
        self.brush_size = ValueSlider(
            1,
            20,
            percent,
            tr("Brush size"),
            tr("Size of the brush on the preview"),
            "brushSlider",
        )
        self.brush_size.show_value(BRUSH_PERCENT)
        self.add_row(tr("Brush size"), self.brush_size, self.brush_size.slider)
        self.add_link(
            tr("Remove the last zone"),
            tr("Undo the last brush stroke"),
            "zoneUndo",
            lambda: self._remove(self._own()[-1:]),
            lambda _settings: bool(self._own()),
        )
        self.add_link(
            tr("Remove all zones"),
            tr("Remove all zones of this camera"),
            "zonesClear",
            lambda: self._remove(self._own()),
            lambda _settings: bool(self._own()),
        )
        self._follows_person = store.current.follows_person
        self.on_settings(self._follow)

    def show_status(self, status: PipelineStatus) -> None:
        """Follow the camera in use."""
        camera = "" if status.source is None else status.source.id
        if camera != self._camera:
            self._camera = camera
            self.put_away()
            self.refresh()

    def put_away(self) -> None:
        """Paint no more, and drop the stroke that is being painted."""
        self.brush.setChecked(False)

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        if was_hidden(event):
            self.put_away()

    def _keep_within(self, _before: QWidget | None, used: QWidget | None) -> None:
        """Put the brush away when the focus leaves these controls and the preview."""
        around = used
        while around is not None:
            if around is self or isinstance(around, Preview):
                return
            around = around.parentWidget()
        self.put_away()

    def _follow(self, settings: Settings) -> None:
        follows = settings.follows_person
        if settings.paused or follows != self._follows_person:
            self.put_away()
        self._follows_person = follows

    def _own(self) -> tuple[Zone, ...]:
        return self.store.current.people.zones_of(self._camera)

    def _remove(self, zones: tuple[Zone, ...]) -> None:
        def update(settings: Settings) -> Settings:
            # By identity: another stroke may have the same points.
            removed = {id(zone) for zone in zones}
            left = tuple(zone for zone in settings.people.zones if id(zone) not in removed)
            return settings.replace(people=settings.people.replace(zones=left))

        self.store.change(update)


WIDTH_PX = 330


class SidePanel(QWidget):
    """What most people need; with "All settings" more of it, and the closed groups below."""

    def __init__(self, models: Models, tasks: Tasks) -> None:
        super().__init__()
        self.setObjectName("sidePanel")
        store = models.store
        self._store = store
        self.models = models
        self.page = Page()
        self.groups: list[Collapsible] = []
        self.camera = CameraControls(store)
        self.virtual_camera = VirtualCameraControls(store)
        self.zones = ZoneControls(store)
        self.quality_choice = QualityChoice(models)
        self.quality = ModelControls(models, tasks)
        self.recordings = RecordingControls(store, tasks)
        self._choice = Segments(
            (
                (tr("Simple"), tr("Show only what most people need"), "simpleSettings"),
                (
                    tr("All settings", "the panel"),
                    tr("Show every setting, in groups"),
                    "allSettings",
                ),
            ),
            margins=(18, 10, 18, 6),
        )
        self._choice.chosen.connect(lambda number: store.set("window.all_settings", number == 1))
        column(self, self._choice, self.page, grows=self.page, spacing=0)
        self.page.add_heading(tr("Camera")).setBuddy(self.camera.list)
        self.page.add(self.camera)
        self.page.add_heading(tr("Quality"))
        self.page.add(self.quality_choice)
        self.page.add_heading(tr("Framing"))
        self.page.add(FramingControls(store))
        self.page.add_heading(tr("Light"))
        self.page.add(LightSliders(store))
        self.page.add_heading(tr("Virtual camera"))
        self.page.add(self.virtual_camera)
        self.page.add_separator()
        self.page.add(TurnControls(store))
        self.page.add_separator()
        self._add_groups(store)
        store.changed.connect(self._show)
        self._show(store.current)

    def sizeHint(self) -> QSize:
        return QSize(scaled(WIDTH_PX, self), super().sizeHint().height())

    def _add_groups(self, store: SettingsStore) -> None:
        card = Form(store)
        text = card.row("output.standby_text")
        assert isinstance(text, QLineEdit)
        text.setPlaceholderText(standby_text())
        card.row("output.standby_image")
        rows: tuple[tuple[str, str, str, QWidget], ...] = (
            (tr("Always hide"), tr("Hide parts of the picture"), "zonesGroup", self.zones),
            (
                tr("Adjust the background"),
                tr("Zoom, position, kind of blur"),
                "backgroundGroup",
                BackgroundViewControls(store),
            ),
            (
                tr("Model and edge"),
                tr("Any model, and the kind of edge"),
                "qualityGroup",
                self.quality,
            ),
            (
                tr("Record"),
                tr("Folder and microphone of recordings"),
                "recordGroup",
                self.recordings,
            ),
            (tr("Pause"), tr("What others see while you are paused"), "pauseGroup", card),
        )
        for title, description, name, content in rows:
            group = Collapsible(title, description, name, content)
            group.toggle.toggled.connect(partial(self._scroll_to_opened, group))
            self.page.add(group)
            self.groups.append(group)

    def follow_devices(self, devices: DeviceWatcher) -> None:
        """List the devices that are connected."""
        devices.cameras_found.connect(self.camera.show_cameras)
        devices.virtual_cameras_found.connect(self.virtual_camera.show_virtual_cameras)

    def show_status(self, status: PipelineStatus) -> None:
        """Show what is in use."""
        for part in (self.camera, self.models, self.zones, self.quality, self.virtual_camera):
            part.show_status(status)

    def reveal(self, control: QWidget) -> None:
        """Show the panel with this control, whichever group holds it, and give it the focus."""
        self._store.set("window.show_panel", True)
        is_in_group = False
        for group in self.groups:
            if group.isAncestorOf(control):
                is_in_group = True
                group.toggle.setChecked(True)
        if is_in_group or control.isHidden():
            self._store.set("window.all_settings", True)
        control.setFocus()
        self.page.scroll_to(control)

    def _scroll_to_opened(self, group: Collapsible, is_open: bool) -> None:
        self.page.scroll_to(group if is_open else None)

    def _show(self, settings: Settings) -> None:
        self._choice.show_chosen(int(settings.window.all_settings))
        for group in self.groups:
            group.setVisible(settings.window.all_settings)
