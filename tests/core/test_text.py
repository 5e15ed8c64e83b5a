"""Texts are English strings that keep their message and values."""

from __future__ import annotations

import copy
import json
import pickle
from enum import Enum
from pathlib import Path

import pytest

from app.core.errors import SinkError, text_of
from app.core.messages.system import ProgramName
from app.core.text import Message, Text, fill


class Sample(Message):
    NESTED = "{file} is damaged ({reason}); remove {file}."
    REASON = "{count} bytes are missing"
    LIST = "Choose one of {names}."


class Fault(Enum):
    DAMAGED = "The weights {path} are damaged."


class FaultError(Exception):
    def __init__(self) -> None:
        super().__init__()
        self.fault = Fault.DAMAGED
        self.values = {"path": Path("/w.pth")}


def test_a_text_is_its_english_sentence_and_keeps_its_parts() -> None:
    text = Sample.NESTED(file=Path("/x/{y}.png"), reason=Sample.REASON(count=3))
    assert text == "/x/{y}.png is damaged (3 bytes are missing); remove /x/{y}.png."
    assert text.code == "Sample.NESTED" and text.message is Sample.NESTED
    assert text.values["reason"] == Sample.REASON(count=3)
    assert json.loads(json.dumps({"message": text})) == {"message": str(text)}


def test_texts_among_the_values_are_rendered_also_within_lists() -> None:
    text = Sample.LIST(names=["a", Sample.REASON(count=1)])
    assert text == "Choose one of a, 1 bytes are missing."
    assert fill(text.message.value, text.values, lambda value: value.upper()) == "Choose one of A, 1 BYTES ARE MISSING."


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda text: pickle.loads(pickle.dumps(text))])
def test_a_copy_keeps_message_and_values(duplicate: object) -> None:
    assert callable(duplicate)
    made = duplicate(ProgramName.PROCESS(name="zoom", pid="12"))
    assert isinstance(made, Text)
    assert (made, made.message, made.values) == (
        "zoom (process 12)",
        ProgramName.PROCESS,
        {"name": "zoom", "pid": "12"},
    )


def test_errors_tell_their_text() -> None:
    error = SinkError(Sample.REASON(count=2))
    assert (error.code, str(error), text_of(error)) == ("Sample.REASON", "2 bytes are missing", "2 bytes are missing")
    assert text_of(FaultError()) == "The weights /w.pth are damaged."
    assert isinstance(text_of(FaultError()), Text)
