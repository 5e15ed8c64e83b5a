"""Controls of the matte's edge: presets, and a slider for each setting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtWidgets import QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from app.core.settings import EdgeSettings, Settings
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import button, describe, link_button, segment
from app.gui.widgets.value_slider import ValueSlider


@dataclass(frozen=True, slots=True)
class _Edge:
    field: str
    low: int
    high: int
    per_unit: int
    """Slider steps per unit of the setting."""
    text: Callable[[int], str]


def _percent(value: int) -> str:
    return f"{value} %"


def _px(value: int) -> str:
    return f"{value:+d} px" if value else "0 px"


EDGES = (
    _Edge("contrast", 0, 100, 100, _percent),
    _Edge("threshold", 0, 100, 100, _percent),
    _Edge("grow_px", -20, 20, 1, _px),
    _Edge("feather_px", 0, 40, 1, lambda value: f"{value} px"),
    _Edge("temporal_smoothing", 0, 100, 100, _percent),
    _Edge("despill", 0, 100, 100, _percent),
)
PRESETS: dict[str, dict[str, float]] = {
    "soft": {"contrast": 0.0, "threshold": 0.5, "grow_px": 0, "feather_px": 4},
    "normal": {"contrast": 0.0, "threshold": 0.5, "grow_px": 0, "feather_px": 0},
    "crisp": {"contrast": 0.4, "threshold": 0.5, "grow_px": 0, "feather_px": 0},
}
"""Settings of the edge's shape; smoothing over time and colour fringe are independent of them."""


class EdgePresets(QWidget):
    """Soft, Normal or Crisp; none is pressed while the sliders hold other values."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        texts = {"soft": self.tr("Soft"), "normal": self.tr("Normal"), "crisp": self.tr("Crisp")}
        tips = {
            "soft": self.tr("A wide, soft edge"),
            "normal": self.tr("The matte as the network computes it"),
            "crisp": self.tr("A narrow, hard edge"),
        }
        for number, (name, values) in enumerate(PRESETS.items()):
            pressable = segment(button(texts[name], checkable=True), number, len(PRESETS))
            describe(pressable, texts[name], tips[name], f"edge_{name}")
            pressable.clicked.connect(lambda _on, values=values: store.edit_edges(**values))
            self._group.addButton(pressable, number)
            row.addWidget(pressable, 1)
        store.changed.connect(self._show)
        self._show(store.current)

    def _show(self, settings: Settings) -> None:
        edges = dict(settings.matting.edges)
        self._group.setExclusive(False)  # an exclusive group cannot be cleared
        for number, values in enumerate(PRESETS.values()):
            pressable = self._group.button(number)
            if pressable is not None:
                pressable.setChecked(all(edges[field] == value for field, value in values.items()))
        self._group.setExclusive(True)


class EdgeSliders(QWidget):
    """One slider per edge setting; each takes effect while it is dragged."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self._sliders: list[tuple[_Edge, ValueSlider]] = []
        for edge in EDGES:
            name, description = self._texts(edge.field)
            slider = ValueSlider(edge.low, edge.high, edge.text, name, description, _object_name(edge.field))
            slider.value_changed.connect(lambda value, edge=edge: self._edit(edge, value))
            column.addWidget(slider)
            self._sliders.append((edge, slider))
        reset = link_button(self.tr("Reset edge"))
        describe(reset, self.tr("Reset edge"), self.tr("Use the matte as the network computes it"), "edgeReset")
        defaults = dict(EdgeSettings())
        reset.clicked.connect(lambda: store.edit_edges(**{edge.field: defaults[edge.field] for edge in EDGES}))
        column.addWidget(reset)
        store.changed.connect(self._show)
        self._show(store.current)

    def _texts(self, field: str) -> tuple[str, str]:
        return {
            "contrast": (self.tr("Hardness"), self.tr("From the soft matte to a hard mask")),
            "threshold": (self.tr("Threshold"), self.tr("Alpha above which pixels stay when the edge is hardened")),
            "grow_px": (self.tr("Shrink or grow"), self.tr("Moves the edge inward or outward")),
            "feather_px": (self.tr("Feather outward"), self.tr("Softens the edge without eroding the person")),
            "temporal_smoothing": (self.tr("Temporal smoothing"), self.tr("Reduces flicker of the edge")),
            "despill": (self.tr("Remove colour fringe"), self.tr("Removes a green cast from hair and edges")),
        }[field]

    def _edit(self, edge: _Edge, value: int) -> None:
        self._store.edit_edges(**{edge.field: value if edge.per_unit == 1 else value / edge.per_unit})

    def _show(self, settings: Settings) -> None:
        for edge, slider in self._sliders:
            slider.show_value(round(getattr(settings.matting.edges, edge.field) * edge.per_unit))


def _object_name(field: str) -> str:
    return f"{field.removesuffix('_px')}Slider"
