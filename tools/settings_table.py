"""Write `docs/settings.md`, the table of all settings: `python -m tools.settings_table`."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.config.setting import Setting
from app.control.names import OWN_COMMANDS, SETTABLE

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
HEAD = """# All settings

`run.py ctl set NAME VALUE` changes a setting, and the file that `--config` names holds it. This table is made from the
declarations in `app/core/settings.py` and beside it (`python -m tools.settings_table`).
"""


def table() -> str:
    """Return the page."""
    rows = [_row(setting) for name, setting in SETTABLE.items() if name not in OWN_COMMANDS]
    return "\n".join((HEAD, "| name | values | default | option | what it does |", "|---|---|---|---|---|", *rows, ""))


def _row(setting: Setting) -> str:
    values = setting.values.replace("|", r"\|")
    default, option = setting.text(setting.default), setting.option.replace("/", "`, `")
    cells = (f"`{setting.name}`", f"`{values}`", f"`{default}`" if default else "", f"`{option}`" if option else "")
    return f"| {' | '.join(cells)} | {setting.description} |"


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    PAGE.write_text(table(), "utf-8")
