"""Asks whether an installed package has a known hole: exit code 1 for a finding, 0 otherwise, also where nothing can be
asked, which is then said. Needs a folder for the tool as its argument; uses the standard library alone."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
import venv
from importlib import metadata
from pathlib import Path

TOOL = "pip-audit==2.10.1"
CONTROL = "https://pypi.org/pypi/requests/2.19.0/json"
"""A release with known holes: where it has none, the data is not there and silence would mean nothing."""
ASK_LIMIT_S, INSTALL_LIMIT_S, AUDIT_LIMIT_S = 20, 180, 300


def main(folder: Path) -> int:
    """Audit what is installed beside this interpreter."""
    if not data_is_there():
        return not_done("its data cannot be reached")
    try:
        venv.create(folder, with_pip=True)
        python = next(path for path in (folder / "bin/python", folder / "Scripts/python.exe") if path.exists())
        install = [str(python), "-m", "pip", "install", "-q", TOOL]
        subprocess.run(install, check=True, timeout=INSTALL_LIMIT_S)
        wanted, answer = folder / "installed.txt", folder / "answer.json"
        wanted.write_text("\n".join(installed()) + "\n")
        ask = [str(python), "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off"]
        ask += ["--requirement", str(wanted), "--format", "json", "--output", str(answer)]
        subprocess.run(ask, check=False, timeout=AUDIT_LIMIT_S)
        return judge(json.loads(answer.read_text()))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return not_done(str(error))


def data_is_there() -> bool:
    """Whether the advisories answer."""
    try:
        with urllib.request.urlopen(CONTROL, timeout=ASK_LIMIT_S) as answer:
            return bool(json.load(answer).get("vulnerabilities"))
    except (OSError, ValueError):
        return False


def installed() -> list[str]:
    """NAME==VERSION of every package; builds of one release (`+cpu`) have the holes of that release."""
    found = {(package.metadata["Name"], package.version.split("+")[0]) for package in metadata.distributions()}
    return sorted(f"{name}=={version}" for name, version in found)


def judge(answer: dict[str, list[dict[str, object]]]) -> int:
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
