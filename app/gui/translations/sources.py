"""Finds the sentences that the code behind the window can put together, as templates.

Core modules know nothing of languages: they write English, in f-strings, constants and tables. Read from their source,
each of these texts becomes a template: what is constant, and `{0}`, `{1}` … for what is put in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

LEFT_OUT = {
    "app/bench/*": "measurements, on the command line",
    "app/cli/*": "the command line",
    "app/control/*": "run.py ctl; where the window cannot listen to it, that is logged",
    "app/offline/*": "run.py convert",
    "app/system/display.py": "why there is no window",
    "app/doctor/fix.py": "run.py doctor --fix",
    "app/system/environment.py": "before there is a window",
    "app/gui/*": "translated by tr(), but for the files of GUI_ERRORS",
    "app/cli/headless.py": "the run without a window",
    "app/media/image_folder.py": "run.py convert",
    "app/cli/options.py": "options of the command line",
    "app/config/parsing.py": "options of the command line, run.py ctl",
    "app/config/logs.py": "the log stays English",
    "app/output/memory.py": "an output for measurements and tests",
    "app/cli/proof.py": "run.py proof",
    "app/system/service.py": "run.py service",
    "app/runtime/status_fields.py": "the run without a window",
}
"""Modules whose sentences cannot reach the window, and why."""

GUI_ERRORS = ("app/gui/backgrounds/files.py", "app/gui/state/recording.py")
"""Files of the window that raise errors in English, on threads of their own."""

MODELS = ("models/checkpoint.py", "models/download.py", "models/weights.py")
"""Below the program; their errors are handed on word by word."""

NOT_SHOWN = {
    "app/capture/devices.py": ("virtual camera|unity video capture", r"Intel IPU\d"),
    "app/capture/exposure.py": ("white balance",),
    "app/capture/v4l2.py": ("v4l2 loopback",),
    "app/compositing/standby.py": ("One moment, please",),  # for the others; the user may write another
    "app/compositing/video.py": ("background video",),
    "app/doctor/display.py": ("Wayland ({0})",),
    "app/doctor/distribution.py": ("Debian or Ubuntu", "Arch Linux", "this Linux"),
    "app/doctor/system.py": ("{0}: not found",),
    "app/doctor/virtual_camera.py": ("$(uname -r)",),
    "app/doctor/virtual_camera_other.py": ("OBS Virtual Camera", "Unity Video Capture", "activated enabled"),
    "app/matting/selection/hardware.py": ("model name",),
    "app/output/camera_errors.py": (  # looked for in what drivers say
        "No v4l2 loopback device found",
        "Did you install OBS",
        "does not exist",
        "missing permissions",
        "Permission denied",
        "is not a video output device",
        "already in use",
        "resource busy",
        "could not be started",
    ),
    "app/output/virtual_camera.py": ("Device or resource busy",),
    "app/runtime/engine_supply.py": ("out of memory",),
    "app/runtime/pipeline.py": ("the model", "the background"),  # the status line has words of its own
    "app/runtime/status.py": (
        "ratio {0}",
        "lighter model",
        "every second frame",
        "Quality lowered to hold {0} fps: {1}",
    ),
    "app/gui/state/recording.py": ("Mattecam %Y-%m-%d %H.%M.%S",),
    "models/checkpoint.py": ("{0}.{1} has no place among weights",),  # caught
    "models/download.py": ("int | None",),
    "models/weights.py": (  # the table of `run.py weights`
        "Robust Video Matting, fast",
        "Robust Video Matting, finer, for GPUs",
        "Background Matting V2, needs a picture of the empty room",
        "Background Matting V2, finer",
        "Background Matting V2, finest; no published checksum, trusted on first download",
        "U2-Net, any salient object",
        "U2-Net, any salient object, small",
        "U2-Net, people; no published checksum, trusted on first download",
        "Mattecam's own, ships with the program",
        "ships with the program",
        "as published",
        "as first downloaded",
        "not checkable",
        "not the published file",
    ),
}
"""Texts that are no sentences for the user: names, patterns, what only the command line writes."""

_LOGGING = {"debug", "info", "warning", "error", "exception", "critical", "getLogger"}
_MISTAKES = {"ValueError", "TypeError", "RuntimeError", "AssertionError", "KeyError", "ConnectionError"}
"""Raised for mistakes of programmers, or caught and named anew."""
_TRANSLATED = {"tr", "translate"}
_CHECK = re.compile(r"(virtual camera|camera|display|disk): |graphics card$")
"""The names of the doctor's checks, which the window translates by a table."""
_COMMAND = re.compile(r"(sudo|docker|brew|winget|fuser|nvidia-smi|run\.py|options|devices=1|boot\.)\b")
_PLACE = re.compile(r"\{[^{}]*\}")
_PLACES = re.compile(r"(\{[^{}]*\})+")


def modules() -> list[Path]:
    """The files whose sentences can reach the window."""
    app = [path for path in sorted((ROOT / "app").rglob("*.py")) if not _left_out(path)]
    return app + [ROOT / name for name in (*GUI_ERRORS, *MODELS)]


def _left_out(path: Path) -> bool:
    relative = path.relative_to(ROOT)
    names = (relative.as_posix(), *(f"{parent.as_posix()}/*" for parent in relative.parents))
    return any(name in LEFT_OUT or Path(name).match(pattern) for name in names for pattern in LEFT_OUT)


def templates() -> dict[str, str]:
    """Every template, and the first module that makes it."""
    found: dict[str, str] = {}
    for path in modules():
        name = path.relative_to(ROOT).as_posix()
        for text in texts(path):
            for line in text.splitlines():
                template = numbered(line.strip())
                if template and not _COMMAND.match(template) and not _CHECK.match(template):
                    found.setdefault(template, name)
    return found


def texts(path: Path) -> list[str]:
    """The texts of one file: constants and f-strings, but neither docstrings nor what is logged."""
    reader = _Reader()
    reader.visit(ast.parse(path.read_text("utf-8")))
    return reader.found


def missing(catalogue: Collection[str]) -> dict[str, str]:
    """The templates that the catalogue does not hold, and their modules.

    A template with a choice of words in it may be held as several sentences with these words in their places; each
    such word, where it is a text of its own, is then part of one of them.
    """
    made = templates()
    spelled_out = [sentence for sentence in catalogue if sentence not in made]
    return {
        template: module
        for template, module in made.items()
        if template not in catalogue
        and is_words(template)
        and template not in NOT_SHOWN.get(module, ())
        and not any(pattern(template).search(sentence) for sentence in spelled_out)
    }


def unused(catalogue: Collection[str]) -> list[str]:
    """What the catalogue holds and no code can put together."""
    made = templates()
    patterns = [pattern(template) for template in made if is_words(template) and not template.startswith(",")]
    endings = [pattern(template) for template in made if template.startswith(", ")]
    return [
        sentence
        for sentence in catalogue
        if sentence not in made
        and not any(each.fullmatch(sentence) for each in patterns)
        and not any(each.search(sentence) for each in endings)
    ]


def numbered(text: str) -> str:
    """The template with its places numbered from 0; places that touch are one."""
    pieces = _PLACE.split(_PLACES.sub("{}", text))
    return "".join(piece + (f"{{{index}}}" if index + 1 < len(pieces) else "") for index, piece in enumerate(pieces))


def pattern(template: str) -> re.Pattern[str]:
    """What matches every sentence made of a template."""
    return re.compile("(.*?)".join(re.escape(piece) for piece in _PLACE.split(template)))


def is_words(template: str) -> bool:
    """Whether a template holds words of a language, and not only a name, a mark or a format."""
    return " " in template and re.search(r"[A-Za-z]{3}", _PLACE.sub("", template)) is not None


class _Reader(ast.NodeVisitor):
    """Collects the texts of one module."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name not in _LOGGING | _MISTAKES | _TRANSLATED:
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.found.append(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self.found += _spelled_out(node)
        for part in node.values:
            if isinstance(part, ast.FormattedValue) and not isinstance(part.value, ast.IfExp):
                self.visit(part.value)


def _spelled_out(node: ast.expr) -> Iterator[str]:
    """The texts an expression may give; a choice that is made twice is made alike."""
    tests = list(dict.fromkeys(ast.dump(part.test) for part in ast.walk(node) if isinstance(part, ast.IfExp)))
    for answers in product((True, False), repeat=len(tests)):
        yield _text(node, dict(zip(tests, answers, strict=True)))


def _text(node: ast.expr, answers: dict[str, bool]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, answers) for part in node.values)
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.IfExp):
        return _text(node.value.body if answers[ast.dump(node.value.test)] else node.value.orelse, answers)
    return "{}"
