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
from app.matting.choice.hardware import CudaCards, supports
from app.matting.torch.torch_backend import convolves_in_half, release_memory
from tests.matting.choice.simulated_cuda import CUDA_13, SimulatedCuda

pytestmark = pytest.mark.torch


def test_a_card_needs_code_for_its_architecture() -> None:
    older = [(5, 2), (6, 1), (7, 0)]
    later = [(7, 5), (8, 0), (8, 9), (9, 0), (10, 0), (12, 0), (12, 1), (13, 0)]
    assert [capability for capability in older + later if supports(CUDA_13, capability)] == later
    assert not supports(["sm_86"], (8, 0)), "code for a later minor version"
    assert not supports(["sm_90a"], (10, 0)), "and for another major version"
    assert supports([], (5, 0)), "a build without a list is not judged"


@pytest.mark.parametrize(
    ("cards", "first"),
    [
        (SimulatedCuda((6, 1), (8, 6), (9, 0)).cards(), "cuda:1"),
        (SimulatedCuda((8, 6)).cards(), "cuda"),
        (SimulatedCuda((6, 1)).cards(), None),
        (SimulatedCuda((9, 0), error="CUDA error: no kernel image is available").cards(), None),
        (SimulatedCuda().cards(), None),
        (CudaCards(None), None),
    ],
)
def test_auto_takes_the_first_card_that_torch_supports(cards: CudaCards, first: str | None) -> None:
    assert cards.first() == first


def test_a_card_is_tested_once_and_not_used_again_once_it_is_lost() -> None:
    api = SimulatedCuda((8, 6))
    cards = api.cards()
    assert [cards.first() for _ in range(3)] == ["cuda"] * 3
    assert api.tests == 1
    cards.give_up()
    assert cards.first() is None and cards.named() == ()
    with pytest.raises(ModelError, match="stopped working"):
        cards.find("cuda")


def test_a_card_by_number_must_exist_and_fit() -> None:
    cards = SimulatedCuda((8, 6), (6, 1), (9, 0)).cards()
    assert [cards.find(name) for name in ("cuda", "cuda:0", "cuda:2")] == ["cuda", "cuda", "cuda:2"]
    with pytest.raises(ModelError, match="no GPU cuda:7; this computer has 3"):
        cards.find("cuda:7")
    with pytest.raises(ModelError, match="does not support the GPU cuda:1"):
        cards.find("cuda:1")
    with pytest.raises(ModelError, match="no usable NVIDIA GPU"):
        CudaCards(None).find("cuda")


def test_wrong_values_in_half_precision_lead_to_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    for cards, precision in (
        (SimulatedCuda((7, 5), half=False).cards(), "float32"),
        (SimulatedCuda((8, 6)).cards(), "float16"),
    ):
        monkeypatch.setattr(hardware, "cuda_cards", lambda cards=cards: cards)
        found = choice.choose(MattingSettings(model="mattecam"))
        assert (found.device, found.executor, found.precision) == ("cuda", "eager", precision)
    cards.avoid_half("cuda")
    assert choice.choose(MattingSettings(model="mattecam")).precision == "float32"


def test_the_check_of_half_precision_passes_where_it_works() -> None:
    assert convolves_in_half(torch.device("cpu"))


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


def test_cards_are_listed_that_torch_has_code_for_and_that_answer() -> None:
    api = SimulatedCuda((6, 1), (8, 9), (9, 0))
    assert api.cards().named() == (("cuda:1", "card 1"), ("cuda:2", "card 2"))
    assert api.tests == 0, "a list needs no kernel on every card"
    api.nameless = {1}
    assert api.cards().named() == (("cuda:2", "card 2"),)
    assert CudaCards(None).named() == ()


def test_a_driver_does_not_help_torch_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks then run in OpenVINO."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: None)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert hardware.cuda_cards.__wrapped__().first() is None
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert not hardware.apple_gpu_usable()
