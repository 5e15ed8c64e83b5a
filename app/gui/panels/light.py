"""The light controls: light match, light wrap, portrait light."""

from __future__ import annotations

from app.core.settings import Settings
from app.gui.panels.form import Form
from app.gui.state.store import SettingsStore
from app.gui.widgets.value_slider import percent


class LightSliders(Form):
    """One slider per control; each takes effect while it is dragged."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store)
        for field, name, description in (
            ("light_match", self.tr("Light match"),
             self.tr("Adapts your brightness, colour and contrast to the background")),
            ("light_wrap", self.tr("Light wrap"), self.tr("Lets light of the background fall on your outline")),
            ("portrait_light", self.tr("Portrait light"),
             self.tr("Brightens your face like a soft lamp beside the camera")),
        ):  # fmt: skip
            self.add_slider(f"edges.{field}", percent, name, description, f"{field}Slider")
        self._hint = self.add_hint(
            self.tr("Light match needs an image or a video as background: a blurred room has your light already.")
        )
        self.refresh()

    def show_settings(self, settings: Settings) -> None:
        super().show_settings(settings)
        unused = settings.background.kind not in ("image", "video", "slides", "screen")
        self._hint.setVisible(unused and settings.matting.edges.light_match > 0)
