"""Asks whether an installed package has a known hole: exit code 1 for a finding, 0 otherwise, also where nothing can be
asked, which is then said. Needs a folder for the tool as its argument; uses the standard library alone."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

TOOL = "pip-audit==2.10.1"
CONTROL = "requests==2.19.0"
"""A release with known holes: where it has none, the data is not there and silence would mean nothing."""
INSTALL_LIMIT_S, AUDIT_LIMIT_S = 180, 180

Answer = dict[str, list[dict[str, object]]]


def main(folder: Path) -> int:
    """Audit what is installed beside this interpreter."""
    try:
        venv.create(folder, with_pip=True)
        python = next(path for path in (folder / "bin/python", folder / "Scripts/python.exe") if path.exists())
        install = [str(python), "-m", "pip", "install", "-q", TOOL]
        subprocess.run(install, check=True, timeout=INSTALL_LIMIT_S)
        if not any(package.get("vulns") for package in ask(python, folder / "control", [CONTROL])["dependencies"]):
            return not_done("its data cannot be reached")
        return judge(ask(python, folder / "installed", installed()))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return not_done(f"its data cannot be reached ({type(error).__name__})")


def ask(python: Path, stem: Path, releases: list[str]) -> Answer:
    """What is known of these releases (NAME==VERSION). Raises OSError where nobody answers."""
    wanted, answer = stem.with_suffix(".txt"), stem.with_suffix(".json")
    wanted.write_text("\n".join(releases) + "\n")
    words = [str(python), "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off"]
    words += ["--requirement", str(wanted), "--format", "json", "--output", str(answer)]
    subprocess.run(words, check=False, timeout=AUDIT_LIMIT_S, stderr=subprocess.DEVNULL)
    found: Answer = json.loads(answer.read_text())
    return found


def installed() -> list[str]:
    """NAME==VERSION of every package; builds of one release (`+cpu`) have the holes of that release."""
    found = {(package.metadata["Name"], package.version.split("+")[0]) for package in metadata.distributions()}
    return sorted(f"{name}=={version}" for name, version in found)


def judge(answer: Answer) -> int:
    """Print what was found and what could not be looked at."""
    packages = answer["dependencies"]
    holes = [package for package in packages if package.get("vulns")]
    skipped = [package for package in packages if package.get("skip_reason")]
    for package in holes:
        say(f"{package['name']} {package.get('version')}: {json.dumps(package['vulns'])}")
    for package in skipped:
        say(f"not looked at: {package['name']}: {package['skip_reason']}")
    say(f"dependency audit: {len(packages) - len(skipped)} packages, {len(holes)} with known holes")
    return 1 if holes else 0


def not_done(why: str) -> int:
    """Say so; that is no failure of the program."""
    say(f"dependency audit: NOT DONE, {why}; docs/security.md tells what was looked at by hand")
    return 0


def say(text: str) -> None:
    """A line of the verdict."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
