"""Ray's token: whoever has it can run code on the cluster."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.core.errors import UsageError
from app.offline.batch.cluster import check_token_file

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes of files")


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    return tmp_path / "token"


def test_a_token_file_that_others_can_read_is_refused(token: Path) -> None:
    check_token_file()
    token.write_text("secret")
    token.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        check_token_file()
    token.chmod(0o600)
    check_token_file()


def test_the_file_that_ray_makes_by_itself_is_checked(
    token: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH")
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ".ray" / "auth_token"
    file.parent.mkdir()
    file.write_text("secret")
    file.chmod(0o644)
    with pytest.raises(UsageError, match="auth_token"):
        check_token_file()


def test_a_token_in_the_environment_needs_no_file(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token.write_text("secret")
    token.chmod(0o644)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    check_token_file()
