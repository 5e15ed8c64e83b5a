"""Add a folder to the PATH of this user of Windows, or remove it: `user_path.py add|remove FOLDER`.

For the installer, whose strings are too short for a PATH. The values keep their kind, and variables
in it stay.
"""

from __future__ import annotations

import sys


def with_folder(path: str, folder: str) -> str:
    """Return a PATH that ends with a folder."""
    return ";".join([*_others(path, folder), folder])


def without_folder(path: str, folder: str) -> str:
    """Return a PATH without a folder."""
    return ";".join(_others(path, folder))


def _others(path: str, folder: str) -> list[str]:
    same = folder.rstrip("\\").lower()
    return [entry for entry in path.split(";") if entry and entry.rstrip("\\").lower() != same]


def main(action: str, folder: str) -> None:
    """Change the PATH in the registry, and tell running programs, above all the one that starts
    others.
    """
    if sys.platform == "win32":
        import ctypes
        import winreg

        access = winreg.KEY_READ | winreg.KEY_WRITE
        with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, "Environment", 0, access) as key:
            try:
                path, kind = winreg.QueryValueEx(key, "Path")
            except FileNotFoundError:
                path, kind = "", winreg.REG_EXPAND_SZ
            changed = with_folder(path, folder) if action == "add" else without_folder(path, folder)
            winreg.SetValueEx(key, "Path", 0, kind, changed)
        everybody, setting_changed, abort_if_hung, limit_ms = 0xFFFF, 0x1A, 2, 1000
        ctypes.windll.user32.SendMessageTimeoutW(
            everybody, setting_changed, 0, "Environment", abort_if_hung, limit_ms, None
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
