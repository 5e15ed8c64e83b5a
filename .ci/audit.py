"""Check installed packages for known vulnerabilities with pip-audit.

    python .ci/audit.py FOLDER

FOLDER receives the tool. Exit code 1 for a finding, else 0; if advisory data is out of reach, print
NOT DONE. Uses the standard library only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

TOOL = "pip-audit==2.10.1"
CONTROL = "requests==2.19.0"
"""A release with known vulnerabilities. If none is reported for it, the advisory data is out of
reach.
"""
INSTALL_LIMIT_S, AUDIT_LIMIT_S = 180, 180

Answer = dict[str, list[dict[str, object]]]


def main(folder: Path) -> int:
    """Audit the packages of this interpreter; return the exit code."""
    try:
        venv.create(folder, with_pip=True)
        python = next(
            path for path in (folder / "bin/python", folder / "Scripts/python.exe") if path.exists()
        )
        install = [str(python), "-m", "pip", "install", "-q", TOOL]
        subprocess.run(install, check=True, timeout=INSTALL_LIMIT_S)
        if not any(
            package.get("vulns")
            for package in ask(python, folder / "control", [CONTROL])["dependencies"]
        ):
            return not_done("advisory data is out of reach")
        return judge(ask(python, folder / "installed", installed()))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return not_done(f"advisory data is out of reach ({type(error).__name__})")


def ask(python: Path, stem: Path, releases: list[str]) -> Answer:
    """Return the advisories of these releases (NAME==VERSION). Raises OSError if no service
    answers.
    """
    wanted, answer = stem.with_suffix(".txt"), stem.with_suffix(".json")
    wanted.write_text("\n".join(releases) + "\n")
    words = [
        str(python),
        "-m",
        "pip_audit",
        "--no-deps",
        "--disable-pip",
        "--progress-spinner",
        "off",
    ]
    words += ["--requirement", str(wanted), "--format", "json", "--output", str(answer)]
    subprocess.run(words, check=False, timeout=AUDIT_LIMIT_S, stderr=subprocess.DEVNULL)
    found: Answer = json.loads(answer.read_text())
    return found


def installed() -> list[str]:
    """Return NAME==VERSION of every package, without local build tags such as `+cpu`."""
    found = {
        (package.metadata["Name"], package.version.split("+")[0])
        for package in metadata.distributions()
    }
    return sorted(f"{name}=={version}" for name, version in found)


def judge(answer: Answer) -> int:
    """Print findings and skipped packages; return 1 for a finding, else 0."""
    packages = answer["dependencies"]
    vulnerable = [package for package in packages if package.get("vulns")]
    skipped = [package for package in packages if package.get("skip_reason")]
    for package in vulnerable:
        say(f"{package['name']} {package.get('version')}: {json.dumps(package['vulns'])}")
    for package in skipped:
        say(f"skipped: {package['name']}: {package['skip_reason']}")
    say(
        f"dependency audit: {len(packages) - len(skipped)} packages, {len(vulnerable)} with known "
        "vulnerabilities"
    )
    return 1 if vulnerable else 0


def not_done(why: str) -> int:
    """Print the reason and return 0: missing advisory data is not a failure."""
    say(f"dependency audit: NOT DONE, {why}; see docs/security.md")
    return 0


def say(text: str) -> None:
    """Print one line of the result."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
