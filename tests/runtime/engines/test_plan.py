"""The states of the selector: every event in every state that it can occur in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.core.geometry import WHOLE
from app.core.settings import EngineSettings
from app.runtime.engines.plan import ChoiceState, EngineKey, EnginePlan


def key(**settings: object) -> EngineKey:
    return EngineKey.of(EngineSettings.model_validate(settings), (64, 48), WHOLE)


LOCAL, OTHER, LIGHT = key(), key(precision="float32"), key(downsample_ratio=0.2)
CPU = key(device="cpu")
DUE_S = 5.0

Events = Callable[[EnginePlan], object]


def chosen(choice: EngineKey, *events: Events) -> EnginePlan:
    plan = EnginePlan()
    assert plan.choose(choice) == choice
    for event in events:
        event(plan)
    return plan


def built(what: EngineKey) -> Events:
    return lambda plan: plan.built(what)


def fails(fallback: EngineKey | None) -> Events:
    def event(plan: EnginePlan) -> None:
        plan.closed()
        assert plan.failed(fallback, DUE_S) == fallback

    return event


def lowered(target: EngineKey) -> Events:
    return lambda plan: plan.lower(target)


def kept(plan: EnginePlan) -> None:
    plan.keep_engine()


def due(plan: EnginePlan) -> None:
    assert plan.due(DUE_S - 1) is None
    assert plan.due(DUE_S) == plan.target
    assert plan.due(DUE_S + 99) is None, "once"


def again(plan: EnginePlan) -> None:
    assert plan.choice is not None
    assert plan.choose(plan.choice) == plan.choice


TO: dict[ChoiceState, tuple[EngineKey, tuple[Events, ...]]] = {
    ChoiceState.CHOSEN: (LOCAL, (built(LOCAL),)),
    ChoiceState.REPLACED: (LOCAL, (fails(CPU), built(CPU))),
    ChoiceState.FAILED: (LOCAL, (built(LOCAL), fails(None))),
}


@pytest.mark.parametrize(
    ("begin", "event", "end", "target", "in_use"),
    [
        (ChoiceState.CHOSEN, fails(CPU), ChoiceState.REPLACED, CPU, None),
        (ChoiceState.CHOSEN, fails(None), ChoiceState.FAILED, LOCAL, None),
        (ChoiceState.CHOSEN, lowered(LIGHT), ChoiceState.CHOSEN, LIGHT, LOCAL),
        (ChoiceState.REPLACED, fails(LIGHT), ChoiceState.REPLACED, LIGHT, None),
        (ChoiceState.REPLACED, fails(LOCAL), ChoiceState.CHOSEN, LOCAL, None),
        (ChoiceState.REPLACED, fails(None), ChoiceState.FAILED, CPU, None),
        (ChoiceState.FAILED, due, ChoiceState.CHOSEN, LOCAL, None),
        *((state, again, ChoiceState.CHOSEN, choice, None) for state, (choice, _) in TO.items()),
    ],
)
def test_each_event_leads_where_the_table_says(
    begin: ChoiceState, event: Events, end: ChoiceState, target: EngineKey, in_use: EngineKey | None
) -> None:
    plan = chosen(TO[begin][0], *TO[begin][1])
    assert plan.state is begin
    used = plan.in_use
    event(plan)
    assert (plan.state, plan.target) == (end, target)
    assert plan.in_use == (used if event is again else in_use)


def test_a_choice_is_built_beside_the_engine_in_use_and_its_failure_keeps_that_one() -> None:
    plan = chosen(LOCAL, built(LOCAL))
    assert plan.choose(OTHER) == OTHER
    assert (plan.state, plan.in_use) == (ChoiceState.CHOSEN, LOCAL)
    kept(plan)
    assert (plan.state, plan.in_use, plan.settled) == (ChoiceState.REPLACED, LOCAL, False)
    assert plan.due(DUE_S) is None, "only another choice changes that"


def test_what_was_taken_back_or_is_out_of_date() -> None:
    plan = chosen(LOCAL, built(LOCAL), lowered(LIGHT), lowered(LOCAL))
    assert not plan.built(LIGHT), "taken back while it was built"
    plan.choose(OTHER)
    assert plan.built(LIGHT), "better than nothing newer"
    assert (plan.state, plan.in_use, plan.settled) == (ChoiceState.CHOSEN, LIGHT, False)


def test_the_governor_asks_once_for_each_quality() -> None:
    plan = chosen(LOCAL, built(LOCAL))
    assert plan.lower(LIGHT) == LIGHT
    assert plan.lower(LIGHT) is None, "it is being built"
    assert plan.lower(LOCAL) is None, "it is in use"
    fallback = chosen(LOCAL, fails(CPU), built(CPU))
    assert fallback.lower(LIGHT) == LIGHT
    assert (fallback.state, fallback.lowered) == (ChoiceState.REPLACED, True)


def test_an_engine_that_is_ready_after_all_ends_the_wait() -> None:
    plan = chosen(LOCAL, fails(None), built(LOCAL))
    assert plan.state is ChoiceState.CHOSEN
    assert plan.due(999) is None
