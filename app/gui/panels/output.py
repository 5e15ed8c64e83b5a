"""The output page: virtual camera, mirror, stand-by card, recordings."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QSignalBlocker, pyqtSignal
from PyQt6.QtWidgets import QLineEdit

from app.gui.controls import Page, button, check, combo, describe, fill_combo, label, link_button
from app.gui.dialogs import ask_for_file, ask_for_folder
from app.gui.preferences_store import PreferencesStore
from app.gui.store import SettingsStore
from app.runtime.status import PipelineStatus
from app.settings import Settings

IMAGE_FILTER = "*.png *.jpg *.jpeg *.webp *.bmp"


class OutputPage(Page):
    """Shows the output settings."""

    help_wanted = pyqtSignal()
    """The user asks how to set a virtual camera up."""

    def __init__(self, store: SettingsStore, preferences: PreferencesStore) -> None:
        super().__init__()
        self._store = store
        self._preferences = preferences
        self._cameras: tuple[tuple[str, str], ...] | None = None
        self._chosen_device = "auto"
        """Comes back when the virtual camera is switched on again."""
        self._toggle = check(
            self.tr("Send to other programs"), self.tr("They choose it as their camera"), "virtualCameraToggle"
        )
        self._device = combo(
            self.tr("Which virtual camera"), self.tr("Where other programs see it"), "virtualCameraCombo"
        )
        self._state = label("", "faint", wrap=True)
        self._help = link_button(self.tr("Set a virtual camera up…"))
        describe(self._help, self.tr("Set a virtual camera up"), self.tr("What this system needs"), "virtualCameraHelp")
        self._mirror = check(
            self.tr("Mirror what the others see"),
            self.tr("Turns words in the picture round as well"),
            "mirrorOutputCheck",
        )
        self._on_demand = check(
            self.tr("Rest while nobody watches"),
            self.tr("Switches the camera off while no program reads the virtual one and this window is hidden"),
            "onDemandCheck",
        )
        self._text = QLineEdit()
        self._text.setMaxLength(200)
        self._text.setPlaceholderText(self.tr("Back in a moment"))
        describe(self._text, self.tr("Stand-by text"), self.tr("What the card says while you pause"), "standbyText")
        self._image = button(self.tr("Picture…"))
        describe(self._image, self.tr("Stand-by picture"), self.tr("A picture for the card while you pause"),
                 "standbyImage")  # fmt: skip
        self._no_image = link_button(self.tr("Without picture"))
        describe(
            self._no_image, self.tr("Without picture"), self.tr("Use the plain stand-by card again"), "noStandbyImage"
        )
        self._folder = button("")
        describe(self._folder, self.tr("Folder for recordings"), self.tr("Where recordings and snapshots go"),
                 "recordingsFolder")  # fmt: skip
        self._recording = label("", "faint", wrap=True)
        self._lay_out()
        self._toggle.toggled.connect(self._set_virtual_camera)
        self._device.activated.connect(lambda _row: store.edit("output", virtual_camera=self._device.currentData()))
        self._help.clicked.connect(self.help_wanted)
        self._mirror.toggled.connect(lambda on: store.edit("output", mirror=on))
        self._on_demand.toggled.connect(lambda on: store.edit("output", on_demand=on))
        self._text.textEdited.connect(lambda text: store.edit("output", standby_text=text))
        self._image.clicked.connect(self._ask_for_image)
        self._no_image.clicked.connect(lambda: store.edit("output", standby_image=None))
        self._folder.clicked.connect(self.ask_for_folder)
        store.changed.connect(self._show)
        preferences.changed.connect(lambda _new: self._show(store.current))
        self._show(store.current)

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """(device, label) of those there are now."""
        if cameras != self._cameras:
            self._cameras = cameras
            self._show(self._store.current)

    def show_status(self, status: PipelineStatus) -> None:
        """What is really used."""
        wanted = self._store.current.output.virtual_camera != "off"
        if status.virtual_camera is not None:
            self._state.setText(self.tr("Choose “{0}” in your meeting.").format(status.virtual_camera))
        elif wanted and self._cameras == ():
            self._state.setText(self.tr("There is no virtual camera on this computer yet."))
        else:
            self._state.setText("")
        self._state.setVisible(bool(self._state.text()))
        self._help.setVisible(wanted and status.virtual_camera is None)
        name = "" if status.recording is None else Path(status.recording).name
        self._recording.setText(self.tr("Recording {0}").format(name) if name else "")
        self._recording.setVisible(bool(name))

    def _lay_out(self) -> None:
        self.add_heading(self.tr("Virtual camera"))
        for widget in (self._toggle, self._device, self._state, self._help, self._mirror, self._on_demand):
            self.add(widget)
        self.add_heading(self.tr("Pause"))
        self.add_field(self.tr("Stand-by text"), self._text, self._image)
        self.add(self._no_image)
        self.add_heading(self.tr("Recordings and snapshots"))
        self.add_field(self.tr("Folder"), self._folder)
        self.add(self._recording)

    def _set_virtual_camera(self, on: bool) -> None:
        self._store.edit("output", virtual_camera=self._chosen_device if on else "off")

    def _ask_for_image(self) -> None:
        name_filter = self.tr("Images ({0})").format(IMAGE_FILTER)
        ask_for_file(self, self.tr("Stand-by picture"), self._set_standby_image, name_filter)

    def _set_standby_image(self, path: Path) -> None:
        self._store.edit("output", standby_image=path)

    def ask_for_folder(self) -> None:
        """Let the user pick where recordings and snapshots go."""
        title = self.tr("Folder for recordings")
        ask_for_folder(self, title, lambda path: self._preferences.change(recordings_dir=path))

    def _show(self, settings: Settings) -> None:
        output = settings.output
        on = output.virtual_camera != "off"
        if on:
            self._chosen_device = output.virtual_camera
        for box, checked in ((self._toggle, on), (self._mirror, output.mirror), (self._on_demand, output.on_demand)):
            with QSignalBlocker(box):
                box.setChecked(checked)
        entries: list[tuple[str, object]] = [(self.tr("Automatic"), "auto")]
        entries += [(f"{title} ({device})", device) for device, title in self._cameras or ()]
        if on and output.virtual_camera not in (data for _text, data in entries):
            entries.append((output.virtual_camera, output.virtual_camera))
        fill_combo(self._device, entries, output.virtual_camera if on else "auto")
        self._device.setEnabled(on)
        if self._text.text() != output.standby_text:
            self._text.setText(output.standby_text)
        self._no_image.setVisible(output.standby_image is not None)
        folder = self._preferences.recordings_dir
        self._folder.setText(folder.name)
        self._folder.setToolTip(str(folder))
