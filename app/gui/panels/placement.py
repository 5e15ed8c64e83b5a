"""Place and scale of the person over the background."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker

from app.core.placement import CORNERS, IN_PLACE, Corner, in_corner
from app.core.settings import PlacementSettings
from app.gui.panels.form import Entries, Form
from app.gui.preview.interaction import DragTarget
from app.gui.preview.mirroring import Sides
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import check
from app.gui.widgets.signals import follow
from app.gui.widgets.value_slider import offset, percent


class PlacementControls(Form):
    """A list of corners, the scale, both directions, and whether the mouse moves the person.

    Left and right are the preview's.
    """

    def __init__(self, store: SettingsStore, preferences: PreferencesStore) -> None:
        super().__init__(store)
        self._preferences = preferences
        self.target = DragTarget()
        self.add_choice(
            "placement", self.tr("Position"), self.tr("Shows the person small in a corner, such as beside slides"),
            "cornerCombo", self._corners, choose=self._choose, shows=self._corner,
        )  # fmt: skip
        self.add_slider("placement.scale", percent, self.tr("Size of the person"),
                        self.tr("Scales the person over the background"), "scaleSlider")  # fmt: skip
        self.add_slider("placement.x", offset, self.tr("Left–right"), self.tr("Moves the person left or right"),
                        "placeXSlider", sign=self._sign)  # fmt: skip
        self.add_slider("placement.y", offset, self.tr("Up–down"),
                        self.tr("Moves the person up or down"), "placeYSlider")  # fmt: skip
        self._mouse = check(
            self.tr("Mouse moves the person"),
            self.tr("Dragging and the wheel move and scale the person in place of the camera image"),
            "mousePersonCheck",
        )
        self._mouse.toggled.connect(lambda on: self.target.choose("person" if on else "camera"))
        self.target.changed.connect(self._show_target)
        self.add(self._mouse)
        self.add_hint(self.tr("With Ctrl, dragging and the wheel in the preview always move the person."))
        self.add_link(self.tr("Reset position"), self.tr("Show the person where the camera does"), "placementReset",
                      lambda: store.edit("placement", **dict(IN_PLACE)),
                      lambda settings: settings.placement != IN_PLACE)  # fmt: skip
        follow(preferences.changed, self, lambda _new: self.refresh())
        self.refresh()

    def _sign(self) -> int:
        return Sides.of(self.store.current, self._preferences.current.mirror_preview).backdrop_sign

    def _mirrored(self, placement: PlacementSettings) -> PlacementSettings:
        return placement.replace(x=self._sign() * placement.x)

    def _corner(self, placement: PlacementSettings) -> Corner | None:
        return next((corner for corner in CORNERS if self._mirrored(placement) == in_corner(corner)), None)

    def _corners(self) -> Entries:
        names: dict[Corner, str] = {
            "top-left": self.tr("Top left"),
            "top-right": self.tr("Top right"),
            "bottom-left": self.tr("Bottom left"),
            "bottom-right": self.tr("Bottom right"),
        }
        first = self.tr("In place") if self.store.current.placement == IN_PLACE else self.tr("Free")
        return [(first, None), *((names[corner], corner) for corner in CORNERS)]

    def _choose(self, corner: Corner | None) -> None:
        if corner is not None:
            self.store.edit("placement", **dict(self._mirrored(in_corner(corner))))

    def _show_target(self) -> None:
        with QSignalBlocker(self._mouse):
            self._mouse.setChecked(self.target.target == "person")
