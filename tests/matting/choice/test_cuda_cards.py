"""Selection of an NVIDIA card, with simulated answers of CUDA."""

from __future__ import annotations

import ctypes
import platform
import sys

import pytest
import torch

from app.core.errors import ModelError
from app.core.settings import MattingSettings
from app.matting.choice import choice, hardware
from app.matting.choice.hardware import CudaCards
from app.matting.torch.torch_backend import convolves_in_half, release_memory
from tests.matting.choice.simulated_cuda import NO_CODE, SimulatedCuda

pytestmark = pytest.mark.torch


def test_auto_takes_the_first_card_that_torch_supports() -> None:
    without_card = SimulatedCuda(NO_CODE).cards(), SimulatedCuda().cards(), CudaCards(None)
    assert [SimulatedCuda(*errors).cards().first() for errors in ((NO_CODE, "", ""), ("",))] == ["cuda:1", "cuda"]
    assert [cards.first() for cards in without_card] == [None] * 3


def test_a_card_is_tested_once_and_not_used_again_once_it_is_lost() -> None:
    api = SimulatedCuda("")
    cards = api.cards()
    assert [cards.first() for _ in range(3)] == ["cuda"] * 3
    assert api.tests == 1
    cards.give_up()
    assert cards.first() is None and cards.named() == ()
    with pytest.raises(ModelError, match="stopped working"):
        cards.find("cuda")


def test_a_card_by_number_must_exist_and_fit() -> None:
    cards = SimulatedCuda("", NO_CODE, "").cards()
    assert [cards.find(name) for name in ("cuda", "cuda:0", "cuda:2")] == ["cuda", "cuda", "cuda:2"]
    for name in ("cuda:7", "cuda:1"):
        with pytest.raises(ModelError, match=f"no GPU {name}, or the installed torch cannot use it"):
            cards.find(name)
    with pytest.raises(ModelError, match="no usable NVIDIA GPU"):
        CudaCards(None).find("cuda")


def test_wrong_values_in_half_precision_lead_to_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    for cards, precision in (
        (SimulatedCuda("", half=False).cards(), "float32"),
        (SimulatedCuda("").cards(), "float16"),
    ):
        monkeypatch.setattr(hardware, "cuda_cards", lambda cards=cards: cards)
        found = choice.choose(MattingSettings(model="mattecam"))
        assert (found.device, found.executor, found.precision) == ("cuda", "eager", precision)
    assert convolves_in_half(torch.device("cpu")), "the check passes where it works"
    cards.avoid_half("cuda")
    assert choice.choose(MattingSettings(model="mattecam")).precision == "float32"


def test_memory_of_card_and_host_is_released_only_where_cuda_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    release_memory()
    assert not torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: calls.append("card"))
    # Builds without CUDA lack the function; torch 2.9 and 2.13 with CUDA have it.
    monkeypatch.setattr("torch._C._host_emptyCache", lambda: calls.append("pinned"), raising=False)
    release_memory()
    assert calls == ["card", "pinned"]


def test_cards_are_listed_without_a_test() -> None:
    api = SimulatedCuda("", NO_CODE)
    assert api.cards().named() == (("cuda:0", "card 0"), ("cuda:1", "card 1"))
    assert api.tests == 0, "a list needs no kernel on every card"
    api.nameless = True
    assert api.cards().named() == CudaCards(None).named() == ()


def test_a_driver_does_not_help_torch_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks then run in OpenVINO."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: None)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert hardware.cuda_cards.__wrapped__().first() is None
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert not hardware.apple_gpu_usable()
