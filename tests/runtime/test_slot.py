"""The newest-value slot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runtime.worker import LatestSlot, SlotClosed
from tests.waiting import beside


@given(st.lists(st.integers(), min_size=1))
def test_keeps_the_newest_and_counts_the_rest_as_dropped(values: list[int]) -> None:
    slot: LatestSlot[int] = LatestSlot()
    for value in values:
        slot.put(value)
    assert slot.get(0) == values[-1]
    assert slot.dropped == len(values) - 1
    assert slot.get(0) is None


def test_every_value_is_read_once_across_threads() -> None:
    slot: LatestSlot[int] = LatestSlot()
    seen: list[int] = []

    def read() -> None:
        while True:
            value = slot.get()
            assert value is not None
            seen.append(value)

    reader = beside(read)
    for value in range(2000):
        slot.put(value)
    slot.close()
    with pytest.raises(SlotClosed):
        reader.result(60)
    assert seen == sorted(set(seen))
    assert seen[-1] == 1999
    assert len(seen) + slot.dropped == 2000


def test_a_closed_slot_gives_its_last_value_and_then_raises() -> None:
    slot: LatestSlot[str] = LatestSlot()
    slot.put("last")
    slot.close()
    slot.put("too late")
    assert slot.get() == "last"
    with pytest.raises(SlotClosed):
        slot.get()
