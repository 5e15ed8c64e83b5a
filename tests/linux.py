"""What only Linux has: tests of it are collected there alone, and are no skipped ones elsewhere."""

from __future__ import annotations

PARTS = {
    "app.capture.camera",
    "app.config.autostart",
    "app.control.transport",
    "app.core.files",
    "app.core.process",
    "app.core.threads",
    "app.doctor.checks",
    "app.doctor.display",
    "app.doctor.fix",
    "app.doctor.proof",
    "app.matting.openvino.gpu",
    "app.output.camera_list",
    "app.output.pipewire",
    "app.output.v4l2",
    "app.system.pipewire",
    "app.system.pulse",
    "app.system.screen_lock",
    "app.system.v4l2",
    "tools.packages",
}
"""Modules that do nothing on other systems, or of which a part does nothing: packages are built on Linux."""
FIXTURES = {
    "bus": "app.system.screen_lock",
    "kernel": "app.system.v4l2",
    "pipewire": "app.system.pipewire",
    "sound_session": "app.system.pulse",
}
"""Fixtures that stand for such a part: what uses them is a test of it."""
