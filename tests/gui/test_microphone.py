"""The choice of the microphone and its level meter."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QComboBox, QLabel, QProgressBar
from pytestqt.qtbot import QtBot

from app.gui.panels.recordings import MicrophoneControls
from app.gui.state.store import SettingsStore
from app.output.sound.devices import MicrophoneName
from tests.gui.controls import Controls, made_store
from tests.gui.widgets import current, find, pick
from tests.output.sound.sources import FakeDevice


def test_the_choice_reaches_the_pipeline(controls: Controls, qtbot: QtBot) -> None:
    choice = find(controls.window, QComboBox, "microphoneCombo")
    assert choice.currentData() == "off"
    controls.window.panel.recordings.microphone.show_microphones((MicrophoneName("usb-1", "USB Microphone"),))
    pick(choice, choice.findData("usb-1"))
    qtbot.waitUntil(lambda: current(controls).output.microphone == "usb-1")
    assert choice.currentText() == "USB Microphone"
    pick(choice, choice.findData("off"))
    qtbot.waitUntil(lambda: current(controls).output.microphone == "off")


@pytest.fixture
def store() -> SettingsStore:
    return made_store()


def test_the_meter_opens_the_device_only_while_it_is_visible_and_not_paused(store: SettingsStore, qtbot: QtBot) -> None:
    device = FakeDevice()
    controls = MicrophoneControls(store, device.open)
    qtbot.addWidget(controls)
    meter = find(controls, QProgressBar)
    controls.show_microphones((MicrophoneName("usb", "USB"),))
    controls.show()
    assert meter.isHidden() and device.opened == []
    store.edit("output", microphone="usb")
    qtbot.waitUntil(lambda: meter.value() > 30)
    assert device.opened == ["usb"]
    store.set_paused(True)
    qtbot.waitUntil(lambda: device.open_now == 0)
    assert meter.value() == 0
    store.set_paused(False)
    qtbot.waitUntil(lambda: meter.value() > 30)
    controls.hide()
    qtbot.waitUntil(lambda: device.open_now == 0)
    assert meter.value() == 0


def test_a_microphone_that_cannot_be_opened_is_named(store: SettingsStore, qtbot: QtBot) -> None:
    device = FakeDevice()
    device.fails_to_open = True
    controls = MicrophoneControls(store, device.open)
    qtbot.addWidget(controls)
    store.edit("output", microphone="usb")
    controls.show()
    qtbot.waitUntil(lambda: any("usb cannot be opened" in shown.text() for shown in controls.findChildren(QLabel)))
    controls.hide()
