"""The edge of the matte: contrast, size, softness, steadiness, despill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtWidgets import QVBoxLayout, QWidget

from app.core.settings import EdgeSettings, Settings
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import ValueSlider, describe, link_button


@dataclass(frozen=True, slots=True)
class _Edge:
    field: str
    low: int
    high: int
    per_unit: int
    """How many steps of the slider one unit of the setting has."""
    words: Callable[[int], str]


def _percent(value: int) -> str:
    return f"{value} %"


def _px(value: int) -> str:
    return f"{value:+d} px" if value else "0 px"


EDGES = (
    _Edge("contrast", 0, 100, 100, _percent),
    _Edge("threshold", 0, 100, 100, _percent),
    _Edge("grow_px", -20, 20, 1, _px),
    _Edge("feather_px", 0, 40, 1, lambda value: f"{value} px"),
    _Edge("steadiness", 0, 100, 100, _percent),
    _Edge("despill", 0, 100, 100, _percent),
)


class EdgeControls(QWidget):
    """One slider for each field of the edge settings; each acts while it is dragged."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self._store = store
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self._sliders: list[tuple[_Edge, ValueSlider]] = []
        for edge in EDGES:
            name, description = self._words(edge.field)
            slider = ValueSlider(edge.low, edge.high, edge.words, name, description, _object_name(edge.field))
            slider.value_changed.connect(lambda value, edge=edge: self._edit(edge, value))
            column.addWidget(slider)
            self._sliders.append((edge, slider))
        reset = link_button(self.tr("Reset the edge"))
        describe(reset, self.tr("Reset the edge"), self.tr("Leave the matte as the network gives it"), "edgeReset")
        reset.clicked.connect(lambda: store.edit("matting", edges=EdgeSettings()))
        column.addWidget(reset)
        store.changed.connect(self._show)
        self._show(store.current)

    def _words(self, field: str) -> tuple[str, str]:
        return {
            "contrast": (self.tr("Hardness"), self.tr("From the soft matte to a hard cut-out")),
            "threshold": (self.tr("Threshold"), self.tr("Which parts stay when the edge is hardened")),
            "grow_px": (self.tr("Shrink or grow"), self.tr("Moves the edge into the person or away")),
            "feather_px": (self.tr("Feather outward"), self.tr("Softens the edge without eating into the person")),
            "steadiness": (self.tr("Steadiness"), self.tr("Holds back flicker of the edge")),
            "despill": (self.tr("Despill"), self.tr("Takes a green cast out of hair and edges")),
        }[field]

    def _edit(self, edge: _Edge, value: int) -> None:
        self._store.edit_edges(**{edge.field: value if edge.per_unit == 1 else value / edge.per_unit})

    def _show(self, settings: Settings) -> None:
        for edge, slider in self._sliders:
            slider.show_value(round(getattr(settings.matting.edges, edge.field) * edge.per_unit))


def _object_name(field: str) -> str:
    return f"{field.removesuffix('_px')}Slider"
