"""The table of the settings in the documents is that of their declarations."""

from __future__ import annotations

from app.config.setting import SETTINGS
from tools.settings_table import PAGE, table


def test_the_page_of_the_settings_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == table(), "run python -m tools.settings_table"


def test_every_setting_says_what_it_does() -> None:
    undeclared = {"version", "selected", "paused", "frozen"}
    undeclared |= {f"window.{name}" for name in ("first_run_done", "shortcuts_told", "geometry", "cameras")}
    assert [name for name, setting in SETTINGS.items() if not setting.description and name not in undeclared] == []
