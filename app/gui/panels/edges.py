"""Controls of the matte's edge: presets, and a slider for each setting."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QCoreApplication

from app.core.settings import EdgeSettings, Settings
from app.gui.panels.form import Form
from app.gui.state.store import SettingsStore
from app.gui.widgets.controls import Segments
from app.gui.widgets.value_slider import percent

SHAPE = {"contrast": 0.0, "threshold": 0.5, "grow_px": 0, "feather_px": 0}
PRESETS: tuple[dict[str, float], ...] = ({**SHAPE, "feather_px": 4}, SHAPE, {**SHAPE, "contrast": 0.4})
"""Settings of the edge's shape, soft, normal and crisp; smoothing over time and colour fringe do not depend on it."""
translate = QCoreApplication.translate


def _px(value: int) -> str:
    return f"{value} px"


def _signed_px(value: int) -> str:
    return f"{value:+d} px" if value else "0 px"


class EdgePresets(Segments):
    """Soft, Normal or Crisp; none is pressed while the sliders hold other values."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__((
            (translate("EdgePresets", "Soft"), translate("EdgePresets", "A wide, soft edge"), "edge_soft"),
            (translate("EdgePresets", "Normal"), translate("EdgePresets", "The matte as the network computes it"),
             "edge_normal"),
            (translate("EdgePresets", "Crisp"), translate("EdgePresets", "A narrow, hard edge"), "edge_crisp"),
        ))  # fmt: skip
        self.chosen.connect(lambda number: store.edit("matting.edges", **PRESETS[number]))
        store.changed.connect(self._show)
        self._show(store.current)

    def _show(self, settings: Settings) -> None:
        edges = dict(settings.matting.edges)
        fitting = (all(edges[field] == value for field, value in values.items()) for values in PRESETS)
        self.show_chosen(next((number for number, fits in enumerate(fitting) if fits), None))


class EdgeSliders(Form):
    """One slider per edge setting; each takes effect while it is dragged."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        rows: tuple[tuple[str, Callable[[int], str], str, str], ...] = (
            ("contrast", percent, self.tr("Hardness"), self.tr("From the soft matte to a hard mask")),
            ("threshold", percent, self.tr("Threshold"),
             self.tr("Alpha above which pixels stay when the edge is hardened")),
            ("grow_px", _signed_px, self.tr("Shrink or grow"), self.tr("Moves the edge inward or outward")),
            ("feather_px", _px, self.tr("Feather outward"), self.tr("Softens the edge without eroding the person")),
            ("temporal_smoothing", percent, self.tr("Temporal smoothing"), self.tr("Reduces flicker of the edge")),
            ("despill", percent, self.tr("Remove colour fringe"), self.tr("Removes a green cast from hair and edges")),
        )  # fmt: skip
        for field, text, name, description in rows:
            self.add_slider(f"edges.{field}", text, name, description, f"{field.removesuffix('_px')}Slider")
        defaults = dict(EdgeSettings())
        self.add_link(
            self.tr("Reset edge"), self.tr("Use the matte as the network computes it"), "edgeReset",
            lambda: store.edit("matting.edges", **{field: defaults[field] for field, *_rest in rows}),
        )  # fmt: skip
