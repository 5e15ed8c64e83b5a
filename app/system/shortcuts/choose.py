"""Chooses the service for global shortcuts of this system."""

from __future__ import annotations

import ctypes
import sys

from app.core.messages.shortcuts import ShortcutText
from app.system.shortcuts.base import ShortcutError, ShortcutService


def system_shortcuts(*, has_event_loop: bool) -> ShortcutService:
    """Return the service of this system.

    has_event_loop: whether the main thread runs the event loop of a window, which macOS needs. Raises ShortcutError.
    """
    if sys.platform == "win32":
        from app.system.shortcuts.windows import WindowsShortcuts

        return WindowsShortcuts(ctypes.windll.user32, ctypes.windll.kernel32)
    if sys.platform == "darwin":
        from app.system.shortcuts.macos import LIBRARY, MacShortcuts

        if not has_event_loop:
            raise ShortcutError(ShortcutText.NOT_HERE())
        return MacShortcuts(ctypes.CDLL(LIBRARY))
    from app.system.shortcuts.portal import PortalShortcuts

    return PortalShortcuts()
