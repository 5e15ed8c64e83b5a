"""Make the installer for Windows of a tree, by NSIS: `deploy/windows/installer.nsi.in` with the
files of the tree.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from app import __version__
from tools.packages.desktop import filled
from tools.packages.tree import ROOT, files_of, publisher, reproducible

SCRIPT = ROOT / "deploy" / "windows" / "installer.nsi.in"
SMALLEST = "/SOLID lzma"
FASTEST = "zlib"
TEXTS = {
    "RUNNING": {
        "ENGLISH": "Mattecam is running. Quit it (also in the tray), then try again.",
        "GERMAN": "Mattecam läuft. Beenden Sie es (auch im Infobereich) und versuchen Sie es erneut.",
        "SPANISH": "Mattecam está en ejecución. Ciérrelo (también en la bandeja) e inténtelo de nuevo.",
    },
    "MENU": {
        "ENGLISH": "Start menu entry",
        "GERMAN": "Eintrag im Startmenü",
        "SPANISH": "Entrada en el menú Inicio",
    },
    "COMMAND": {
        "ENGLISH": "Command mattecam in the PATH",
        "GERMAN": "Befehl mattecam im PATH",
        "SPANISH": "Comando mattecam en el PATH",
    },
    "NOT_IN_PATH": {
        "ENGLISH": "The PATH could not be changed; add the folder Scripts by hand.",
        "GERMAN": "Der PATH konnte nicht geändert werden; fügen Sie den Ordner Scripts selbst hinzu.",
        "SPANISH": "No se pudo cambiar el PATH; añada la carpeta Scripts a mano.",
    },
    "SETTINGS": {
        "ENGLISH": "Settings, backgrounds and models",
        "GERMAN": "Einstellungen, Hintergründe und Modelle",
        "SPANISH": "Ajustes, fondos y modelos",
    },
}
"""What the installer says, beside what NSIS itself says in these languages."""


def build_installer(
    tree: Path,
    target: Path,
    numbers: Sequence[str],
    megabytes: float,
    icon: Path,
    fast: bool = False,
) -> None:
    """Write the installer of a tree. Equal for equal trees.

    numbers: the version as four numbers. megabytes: size of the tree. fast: compress less.
    """
    files = [path.relative_to(tree) for path in files_of(tree)]
    assert not [file for file in files if "$" in str(file)], "NSIS takes it for a variable"
    values = {
        "@COMPRESSOR@": FASTEST if fast else SMALLEST,
        "@TARGET@": str(target),
        "@VERSION@": __version__,
        "@NUMBERS@": ".".join(numbers),
        "@PUBLISHER@": re.sub(r" <.*>", "", publisher()),
        "@ICON@": str(icon),
        "@KILOBYTES@": str(round(megabytes * 1e6 / 1024)),
        "@TEXTS@": "\n".join(texts()),
        "@FILES@": "\n".join(commands_of_files(tree, files)),
        "@DELETIONS@": "\n".join(commands_of_deletions(files)),
    }
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch) / "mattecam.nsi"
        # With the mark by which NSIS knows the encoding.
        script.write_text(filled(SCRIPT, values), encoding="utf-8-sig")
        subprocess.run(["makensis", "-V2", "-WX", script], check=True, env=reproducible())


def texts() -> list[str]:
    """Return the commands that define what the installer says."""
    lines = []
    for name, languages in TEXTS.items():
        for language, text in languages.items():
            lines.append(f'LangString {name} ${{LANG_{language}}} "{text}"')
    return lines


def commands_of_files(tree: Path, files: Iterable[PurePath]) -> list[str]:
    """Return the commands that unpack these files of a tree, which are sorted, folder by folder."""
    commands = []
    folder = None
    for file in files:
        if file.parent != folder:
            folder = file.parent
            commands.append(f'    SetOutPath "{installed(folder)}"')
        commands.append(f'    File "{tree / file}"')
    return commands


def commands_of_deletions(files: Sequence[PurePath]) -> list[str]:
    """Return the commands that delete these files, and then the folders that are empty.

    What the user has put there stays: the folder may be one that had other files before.
    """
    folders = {parent for file in files for parent in file.parents if parent.name}
    deepest_first = sorted(folders, key=lambda folder: (-len(folder.parts), folder))
    commands = [f'    Delete "{installed(file)}"' for file in files]
    commands += [f'    RMDir "{installed(folder)}"' for folder in deepest_first]
    return commands


def installed(path: PurePath) -> str:
    """Return where a file of the tree is installed, as text of a script."""
    if not path.name:
        return "$INSTDIR"
    return "$INSTDIR\\" + str(path).replace("/", "\\")
