"""Place and scale of the person over the background."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from app.core.placement import CORNERS, IN_PLACE, Corner, in_corner
from app.core.settings import MAX_SCALE, MIN_SCALE, Settings
from app.gui.preview.drag_target import DragTarget
from app.gui.preview.mirroring import Sides
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import check, combo, describe, fill_combo, label, link_button
from app.gui.widgets.page import field_row
from app.gui.widgets.signals import follow
from app.gui.widgets.slider_text import STEPS, offset, percent
from app.gui.widgets.value_slider import ValueSlider


class PlacementControls(QWidget):
    """A list of corners, the scale, both directions, and whether the mouse moves the person.

    Left and right are the preview's.
    """

    def __init__(self, store: SettingsStore, preferences: PreferencesStore) -> None:
        super().__init__()
        self._store, self._preferences = store, preferences
        self.target = DragTarget()
        self._corner = combo(
            self.tr("Position"), self.tr("Shows the person small in a corner, such as beside slides"), "cornerCombo"
        )
        self._scale = ValueSlider(
            round(MIN_SCALE * STEPS), round(MAX_SCALE * STEPS), percent, self.tr("Size of the person"),
            self.tr("Scales the person over the background"), "scaleSlider",
        )  # fmt: skip
        self._across = ValueSlider(
            -STEPS,
            STEPS,
            offset,
            self.tr("Left–right"),
            self.tr("Moves the person left or right"),
            "placeXSlider",
        )
        self._down = ValueSlider(
            -STEPS, STEPS, offset, self.tr("Up–down"), self.tr("Moves the person up or down"), "placeYSlider"
        )
        self._mouse = check(
            self.tr("Mouse moves the person"),
            self.tr("Dragging and the wheel move and scale the person in place of the camera image"),
            "mousePersonCheck",
        )
        self._reset = link_button(self.tr("Reset position"))
        describe(
            self._reset, self.tr("Reset position"), self.tr("Show the person where the camera does"), "placementReset"
        )
        hint = label(self.tr("With Ctrl, dragging and the wheel in the preview always move the person."), "faint",
                     wrap=True)  # fmt: skip
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(field_row(self.tr("Position"), self._corner))
        for widget in (self._scale, self._across, self._down, self._mouse, hint, self._reset):
            column.addWidget(widget)
        self._connect()

    def _connect(self) -> None:
        store = self._store
        self._corner.activated.connect(lambda _row: self._choose(self._corner.currentData()))
        self._scale.value_changed.connect(lambda value: store.edit("placement", scale=value / STEPS))
        self._across.value_changed.connect(lambda value: store.edit("placement", x=self._sign * value / STEPS))
        self._down.value_changed.connect(lambda value: store.edit("placement", y=value / STEPS))
        self._mouse.toggled.connect(lambda on: self.target.choose("person" if on else "camera"))
        self.target.changed.connect(self._show_target)
        self._reset.clicked.connect(lambda: store.edit("placement", **dict(IN_PLACE)))
        store.changed.connect(self._show)
        follow(self._preferences.changed, self, lambda _new: self._show(store.current))
        self._show(store.current)

    @property
    def _sign(self) -> int:
        return Sides.of(self._store.current, self._preferences.current.mirror_preview).backdrop_sign

    def _choose(self, corner: Corner | None) -> None:
        if corner is not None:
            placement = in_corner(corner)
            x = self._sign * placement.x
            self._store.edit("placement", **dict(placement.replace(x=x)))

    def _show_target(self) -> None:
        with QSignalBlocker(self._mouse):
            self._mouse.setChecked(self.target.target == "person")

    def _show(self, settings: Settings) -> None:
        placement = settings.placement
        names: dict[Corner, str] = {
            "top-left": self.tr("Top left"),
            "top-right": self.tr("Top right"),
            "bottom-left": self.tr("Bottom left"),
            "bottom-right": self.tr("Bottom right"),
        }
        shown = placement.replace(x=self._sign * placement.x)
        chosen = next((corner for corner in CORNERS if shown == in_corner(corner)), None)
        first = self.tr("In place") if placement == IN_PLACE else self.tr("Free")
        fill_combo(self._corner, [(first, None), *((names[corner], corner) for corner in CORNERS)], chosen)
        self._scale.show_value(round(placement.scale * STEPS))
        self._across.show_value(round(self._sign * placement.x * STEPS))
        self._down.show_value(round(placement.y * STEPS))
        self._reset.set_useful(placement != IN_PLACE)
