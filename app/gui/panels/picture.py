"""Framing, light and view of the background, and the zones that are always hidden."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QHideEvent, QKeyEvent, QMouseEvent
from PyQt6.QtWidgets import QWidget

from app.core.framing import WHOLE
from app.core.settings import Settings, Zone
from app.gui.panels.form import Form
from app.gui.preview.view import Preview
from app.gui.preview.zones import ZoneTool
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import ValueSlider, button, percent
from app.gui.widgets.qt import application, was_hidden
from app.runtime.status import PipelineStatus


def _sign_across(store: SettingsStore) -> int:
    """Return the sign of the pan that moves a picture to the right of the preview."""
    return 1 if store.current.window.mirror_preview else -1


LAID_OUT = ("image", "video")
"""Kinds of background that have a position."""


class FramingControls(Form):
    """What of the frame is shown: who, and where; sliders move what the preview shows to its right and down."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self.row("people.auto_framing", self.tr("Auto-framing"),
                 self.tr("Crops the image to head and shoulders and follows them"),
                 change=self._choose_auto)  # fmt: skip
        self.row("people.only_me", self.tr("Only me"),
                 self.tr("Hides everybody but one person; click the person in the preview"),
                 change=self._set_only_me)  # fmt: skip
        self.row("framing.zoom", self.tr("Zoom"), self.tr("Enlarges a part of the camera image"))
        self.enable_while(
            lambda settings: settings.framing.zoom > 1,
            self.row("framing.pan_x", self.tr("Left–right"), self.tr("Moves the image left or right"),
                     sign=lambda: _sign_across(store)),
            self.row("framing.pan_y", self.tr("Up–down"), self.tr("Moves the image up or down"), sign=lambda: -1),
        )  # fmt: skip
        self.add_hint(
            self.tr("Turn the mouse wheel over the preview to zoom; drag to move. Auto-framing pauses while you zoom.")
        )
        self.add_link(self.tr("Reset zoom"), self.tr("Show the whole camera image"), "framingReset", self._show_whole,
                      lambda settings: settings.framing != WHOLE)  # fmt: skip

    def _show_whole(self) -> None:
        self.store.edit("framing", **dict(WHOLE))

    def _choose_auto(self, style: str) -> None:
        self.store.set("people.auto_framing", style)
        if style != "off":
            self._show_whole()  # a manual zoom would override it

    def _set_only_me(self, on: bool) -> None:
        self.store.change(lambda now: now.replace(people=now.people.replace(only_me=on), selected=None))


class LightSliders(Form):
    """One slider per control; each takes effect while it is dragged."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self.row("edges.light_match", self.tr("Light match"),
                 self.tr("Adapts your brightness, colour and contrast to the background"))  # fmt: skip
        self.row("edges.portrait_light", self.tr("Portrait light"),
                 self.tr("Brightens your face like a soft lamp beside the camera"))  # fmt: skip
        self.row("edges.brightness", self.tr("Brightness"),
                 self.tr("Brightens a dark or backlit face, and darkens an overexposed one"))  # fmt: skip
        hint = self.add_hint(
            self.tr("Light match needs an image or a video as background: a blurred room has your light already.")
        )
        self.on_settings(
            lambda now: hint.setVisible(now.background.kind not in LAID_OUT and now.matting.edges.light_match > 0)
        )


CENTRED = {"zoom": 1.0, "pan_x": 0.0, "pan_y": 0.0}


class BackgroundViewControls(Form):
    """Bokeh, and the zoom and both directions of a picture. Left and right are the preview's."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self.enable_while(
            lambda settings: settings.background.kind == "blur",
            self.row("background.bokeh", self.tr("Bokeh"),
                     self.tr("Blurs like a wide lens: lights become discs; needs the executor OpenVINO")),
        )  # fmt: skip
        self.enable_while(
            lambda settings: settings.background.kind in LAID_OUT,
            self.row("background.zoom", self.tr("Zoom"), self.tr("Enlarges the image behind the person")),
            self.row("background.pan_x", self.tr("Left–right"), self.tr("Moves the background left or right"),
                     sign=lambda: _sign_across(store)),
            self.row("background.pan_y", self.tr("Up–down"), self.tr("Moves the background up or down"),
                     sign=lambda: -1),
        )  # fmt: skip
        self.add_link(self.tr("Centre the background"), self.tr("Show the background without zoom"), "backgroundReset",
                      lambda: store.edit("background", **CENTRED),
                      lambda now: any(getattr(now.background, name) != value for name, value in CENTRED.items()),
                      )  # fmt: skip


class ZoneControls(Form):
    """Takes the brush, and removes zones of the camera in use.

    A click meant otherwise must paint nothing: everything but the preview and these controls puts the brush away.
    """

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        self.tool = ZoneTool()
        self._camera = ""
        self._brush = button(self.tr("Always hide"), self.tr("What you paint is never shown, not even people"),
                             "dropBrush", checkable=True)  # fmt: skip
        self._brush.toggled.connect(self._use_brush)
        self.add(self._brush)
        self.add_hint(self.tr("Paint on the picture; Esc ends."), "brushHint")
        self.brush_size = ValueSlider(
            1, 20, percent, self.tr("Brush size"), self.tr("Size of the brush on the preview"), "brushSlider"
        )
        self.brush_size.value_changed.connect(lambda value: setattr(self.tool, "radius", value / 100))
        self.brush_size.show_value(round(self.tool.radius * 100))
        self.add_row(self.tr("Brush size"), self.brush_size, self.brush_size.slider)
        self.add_link(self.tr("Remove the last zone"), self.tr("Undo the last brush stroke"), "zoneUndo",
                      lambda: self._remove(self._own()[-1:]), lambda _settings: bool(self._own()))  # fmt: skip
        self.add_link(self.tr("Remove all zones"), self.tr("Remove all zones of this camera"), "zonesClear",
                      lambda: self._remove(self._own()), lambda _settings: bool(self._own()))  # fmt: skip
        self._only_me = store.current.people.only_me
        self.on_settings(self._follow)

    def show_status(self, status: PipelineStatus) -> None:
        """Follow the camera in use."""
        camera = status.source.id if status.source is not None else ""
        if camera != self._camera:
            self._camera = camera
            self.put_away()
            self.refresh()

    def put_away(self) -> None:
        """Paint no more, and drop the stroke that is being painted."""
        self._brush.setChecked(False)

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        if was_hidden(event):
            self.put_away()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Put the brush away with Escape, when another part of the window is used, and when the window is left.

        Installed for the whole program, but only while there is a brush.
        """
        if isinstance(event, QKeyEvent):
            if event.type() is QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
                self.put_away()
                return True
        elif isinstance(event, QMouseEvent):  # of a widget below the pointer: some take no focus
            if event.type() is QEvent.Type.MouseButtonPress:
                self._keep_within(application().widgetAt(event.globalPosition().toPoint()))
        elif event is not None and event.type() is QEvent.Type.FocusIn and isinstance(watched, QWidget):
            self._keep_within(watched)
        elif event is not None and event.type() is QEvent.Type.WindowDeactivate:
            self.put_away()
        return False

    def _keep_within(self, used: QWidget | None) -> None:
        while used is not None and used is not self and not isinstance(used, Preview):
            used = used.parentWidget()
        if used is None:
            self.put_away()

    def _follow(self, settings: Settings) -> None:
        if settings.paused or settings.people.only_me != self._only_me:
            self.put_away()
        self._only_me = settings.people.only_me

    def _use_brush(self, on: bool) -> None:
        self.tool.use(on)
        if on:
            application().installEventFilter(self)
        else:
            application().removeEventFilter(self)

    def _own(self) -> tuple[Zone, ...]:
        return self.store.current.people.zones_of(self._camera)

    def _remove(self, zones: tuple[Zone, ...]) -> None:
        def update(settings: Settings) -> Settings:
            left = tuple(zone for zone in settings.people.zones if not any(zone is other for other in zones))
            return settings.replace(people=settings.people.replace(zones=left))

        self.store.change(update)
