"""Controls of the matte's edge: presets, and a slider for each setting."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from app.core.settings import EdgeSettings, Settings
from app.gui.panels.form import Form
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button, describe, segment
from app.gui.widgets.slider_text import STEPS, percent

SHAPE = {"contrast": 0.0, "threshold": 0.5, "grow_px": 0, "feather_px": 0}
PRESETS: dict[str, dict[str, float]] = {
    "soft": {**SHAPE, "feather_px": 4},
    "normal": SHAPE,
    "crisp": {**SHAPE, "contrast": 0.4},
}
"""Settings of the edge's shape; smoothing over time and colour fringe are independent of them."""


def _px(value: int) -> str:
    return f"{value} px"


def _signed_px(value: int) -> str:
    return f"{value:+d} px" if value else "0 px"


class EdgePresets(QWidget):
    """Soft, Normal or Crisp; none is pressed while the sliders hold other values."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for number, (name, text, tip) in enumerate((
            ("soft", self.tr("Soft"), self.tr("A wide, soft edge")),
            ("normal", self.tr("Normal"), self.tr("The matte as the network computes it")),
            ("crisp", self.tr("Crisp"), self.tr("A narrow, hard edge")),
        )):  # fmt: skip
            pressable = segment(button(text, checkable=True), number, len(PRESETS))
            describe(pressable, text, tip, f"edge_{name}")
            pressable.clicked.connect(lambda _on, name=name: store.edit("matting.edges", **PRESETS[name]))
            self._group.addButton(pressable, number)
            row.addWidget(pressable, 1)
        store.changed.connect(self._show)
        self._show(store.current)

    def _show(self, settings: Settings) -> None:
        edges = dict(settings.matting.edges)
        self._group.setExclusive(False)  # an exclusive group cannot be cleared
        for pressable, values in zip(self._group.buttons(), PRESETS.values(), strict=True):
            pressable.setChecked(all(edges[field] == value for field, value in values.items()))
        self._group.setExclusive(True)


class EdgeSliders(Form):
    """One slider per edge setting; each takes effect while it is dragged."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        rows: tuple[tuple[str, int, int, int, Callable[[int], str], str, str], ...] = (
            ("contrast", 0, 100, STEPS, percent, self.tr("Hardness"), self.tr("From the soft matte to a hard mask")),
            ("threshold", 0, 100, STEPS, percent, self.tr("Threshold"),
             self.tr("Alpha above which pixels stay when the edge is hardened")),
            ("grow_px", -20, 20, 1, _signed_px, self.tr("Shrink or grow"), self.tr("Moves the edge inward or outward")),
            ("feather_px", 0, 40, 1, _px, self.tr("Feather outward"),
             self.tr("Softens the edge without eroding the person")),
            ("temporal_smoothing", 0, 100, STEPS, percent, self.tr("Temporal smoothing"),
             self.tr("Reduces flicker of the edge")),
            ("despill", 0, 100, STEPS, percent, self.tr("Remove colour fringe"),
             self.tr("Removes a green cast from hair and edges")),
        )  # fmt: skip
        for field, low, high, per_unit, text, name, description in rows:
            self.add_slider(f"matting.edges.{field}", low, high, text, name, description,
                            f"{field.removesuffix('_px')}Slider", per_unit=per_unit)  # fmt: skip
        defaults = dict(EdgeSettings())
        self.add_link(
            self.tr("Reset edge"), self.tr("Use the matte as the network computes it"), "edgeReset",
            lambda: store.edit("matting.edges", **{field: defaults[field] for field, *_rest in rows}),
        )  # fmt: skip
