"""Errors of values are sentences of the program, not of pydantic."""

from __future__ import annotations

from typing import Any

import pytest

from app.config.parsing import replace_checked
from app.config.settings_file import parse
from app.core.errors import UsageError
from app.core.files.json_file import BrokenFileError
from app.core.settings import Settings


@pytest.mark.parametrize(
    ("section", "field", "value", "problem"),
    [
        ("background", "kind", "rainbow", "it must be one of 'blur', 'image'"),
        ("background", "blur_strength", 101, "it must be at most 100"),
        ("background", "blur_strength", -1, "it must be at least 0"),
        ("background", "blur_strength", "much", "it must be a number"),
        ("output", "mirror", "perhaps", "it must be true or false"),
        ("people", "zones", 3, "it must be a list"),
        ("capture", "source", 3, "it must be text"),
        ("background", "colour", "#12", "it must be a colour like #00b140"),
        ("background", "screen", "screen:0", "it must be like screen:1"),
        ("output", "microphone", "", "it is empty"),
        ("output", "standby_text", "a" * 201, "it has more than 200 characters"),
        ("output", "rotate", 3, "there is no such setting"),
    ],
)
def test_a_settings_file_with_an_impossible_value(section: str, field: str, value: Any, problem: str) -> None:
    with pytest.raises(BrokenFileError) as caught:
        parse({section: {field: value}})
    assert str(caught.value.text).startswith(f"{section}.{field}")
    assert problem in str(caught.value.text)


def test_an_option_with_an_impossible_value() -> None:
    with pytest.raises(UsageError, match=r"blur-strength: “101” is not possible: it must be at most 100\."):
        replace_checked(Settings().background, {"blur_strength": 101})
