"""A new setting is one line: its option, its name in `ctl`, its help and its checks are derived from it."""

from __future__ import annotations

import json

from tests.fresh_python import printed_by

LINE = 'rotate: int = setting(0, "Rotate the output.", 0, 270, option="--rotate")'
PROGRAM = """
import json, sys, types
from pathlib import Path

import app.core.matting_settings
module = types.ModuleType("app.core.settings")
source = Path("app/core/settings.py").read_text(encoding="utf-8")
beside = "    mirror: bool = setting("
assert source.count(beside) == 1
sys.modules[module.__name__] = module
exec(source.replace(beside, f"    {LINE}\\n{beside}"), module.__dict__)

from app.cli.live_options import LiveOptions
from app.cli.main import main
from app.cli.options import apply_options
from app.config import settings_file
from app.config.setting import SETTINGS
from app.control.commands import parse_words
from app.core.errors import UsageError

changed = apply_options(module.Settings(), LiveOptions(rotate="90"))
def refused(act):
    try:
        act()
    except UsageError as error:
        return str(error)

said = {
    "option": changed.output.rotate,
    "refused option": refused(lambda: apply_options(module.Settings(), LiveOptions(rotate="300"))),
    "ctl": parse_words(["set", "output.rotate", "180"]).argument,
    "refused in ctl": refused(lambda: parse_words(["set", "output.rotate", "300"])),
    "file": settings_file.parse(changed.model_dump(mode="json")) == changed,
    "described": [SETTINGS["output.rotate"].values, SETTINGS["output.rotate"].description],
}
assert main(["headless", "--help"]) == 0
print(json.dumps(said))
"""


def test_a_setting_is_declared_in_one_line() -> None:
    program = PROGRAM.replace("{LINE}", LINE.replace('"', '\\"'))
    *help_lines, said = printed_by(program).splitlines()
    assert any(line.split() == ["--rotate", "0-270", "Rotate", "the", "output."] for line in help_lines)
    problem = "“300” is not possible: it must be at most 270."
    assert json.loads(said) == {
        "option": 90,
        "refused option": f"--rotate: {problem}",
        "ctl": "output.rotate 180",
        "refused in ctl": f"output.rotate: {problem}",
        "file": True,
        "described": ["0-270", "Rotate the output."],
    }
