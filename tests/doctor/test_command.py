"""The commands as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import doctor as doctor_command
from app.cli import main
from app.core.errors import MattecamError
from app.core.text import t
from app.doctor import checks, system
from app.doctor.finding import CommandLine, Finding, State
from tests.doctor.machine import Machine


def test_the_doctor_looks_at_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code = main.main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert code == any(finding["state"] == "problem" for finding in findings)
    assert {"check", "state", "detail", "why", "fix"} == set(findings[0])
    checks = {finding["check"].split(":")[0] for finding in findings}
    assert checks >= {"camera", "virtual camera", "graphics card", "models", "display", "disk"}
    assert {finding["state"] for finding in findings} <= {"ok", "warning", "problem"}


def test_problems_are_shown_with_their_commands_and_are_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Finding(
        "camera",
        State.PROBLEM,
        t("{name} ({device}).", name="[gone]", device="[x]"),
        t("Without a camera, only the demo and video files are available."),
        (t("In a container, pass the device through:"), CommandLine("sudo plug --in [camera]")),
    )
    monkeypatch.setattr(checks, "run_checks", lambda system: (bad,))
    assert main.main(["doctor"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "✗ camera: [gone] ([x]).",
        f"    {t('Without a camera, only the demo and video files are available.')}",
        f"    {t('In a container, pass the device through:')}",
        "    sudo plug --in [camera]",
    ]


def test_a_repair_that_is_not_possible_is_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(system, "System", Machine(tmp_path).system)
    assert main.main(["doctor", "--fix"]) == 1
    assert "v4l2loopback is not installed" in capsys.readouterr().err


def test_nobody_can_agree_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MattecamError, match="no terminal"):
        doctor_command._ask("modprobe v4l2loopback")
