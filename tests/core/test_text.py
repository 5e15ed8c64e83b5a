"""Texts are English strings that keep their template and values."""

from __future__ import annotations

import copy
import json
import pickle
from enum import Enum
from pathlib import Path

import pytest

from app.core.errors import SinkError, text_of
from app.core.text import Text, fill, t


class Fault(Enum):
    DAMAGED = "The weights {path} are damaged."


class FaultError(Exception):
    def __init__(self) -> None:
        super().__init__()
        self.fault = Fault.DAMAGED
        self.values = {"path": Path("/w.pth")}


def test_a_text_is_its_english_sentence_and_keeps_its_parts() -> None:
    reason = Text("{count} bytes are missing", {"count": 3})
    text = Text("{file} is damaged ({reason}); remove {file}.", {"file": Path("/x/{y}.png"), "reason": reason})
    assert text == "/x/{y}.png is damaged (3 bytes are missing); remove /x/{y}.png."
    assert text.template.startswith("{file} is damaged (")
    assert text.values["reason"] is reason
    assert json.loads(json.dumps({"message": text})) == {"message": str(text)}


def test_texts_among_the_values_are_rendered_also_within_lists() -> None:
    text = Text("Choose one of {names}.", {"names": ["a", Text("{count} bytes are missing", {"count": 1})]})
    assert text == "Choose one of a, 1 bytes are missing."
    assert fill(text.template, text.values, lambda value: value.upper()) == "Choose one of A, 1 BYTES ARE MISSING."


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda text: pickle.loads(pickle.dumps(text))])
def test_a_copy_keeps_template_and_values(duplicate: object) -> None:
    assert callable(duplicate)
    made = duplicate(t("{name} (process {pid})", name="zoom", pid="12"))
    assert isinstance(made, Text)
    assert (made, made.template) == ("zoom (process 12)", "{name} (process {pid})")
    assert made.values == {"name": "zoom", "pid": "12"}


def test_errors_tell_their_text() -> None:
    error = SinkError(t("it does not exist"))
    assert (str(error), text_of(error)) == ("it does not exist", "it does not exist")
    assert text_of(FaultError()) == "The weights /w.pth are damaged."
    assert isinstance(text_of(FaultError()), Text)
