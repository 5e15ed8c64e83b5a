"""All settings as one value: what follows from them, who puts others in force, and the merge of two changes."""

from __future__ import annotations

import pytest

from app.core.settings import HIDES_TEXT
from app.effects.zones import MAX_ZONES, Zone
from app.settings import Settings, SettingsOwner, rebase

DEFAULT = Settings()
DOOR = Zone(points=((0.1, 0.1),))
DESK = Zone(points=((0.2, 0.2),))
BED = Zone(points=((0.3, 0.3),))


def with_zones(*zones: Zone) -> Settings:
    return DEFAULT.replaced_at(["people"], zones=zones)


def zones_of(settings: Settings) -> tuple[Zone, ...]:
    return settings.people.zones


def test_a_pause_by_the_lock_ends_with_the_pause() -> None:
    assert Settings(paused=True, paused_by_lock=True).paused_by_lock
    assert not Settings(paused=False, paused_by_lock=True).paused_by_lock


@pytest.mark.parametrize(
    ("kind", "strength", "is_readable"),
    [
        ("blur", HIDES_TEXT - 1, True),
        ("blur", HIDES_TEXT, False),
        ("none", HIDES_TEXT - 1, False),
    ],
)
def test_text_is_readable_behind_a_weak_blur_alone(
    kind: str, strength: float, is_readable: bool
) -> None:
    settings = DEFAULT.replaced_at(["strict"], level="off")
    settings = settings.replaced_at(["background"], kind=kind, blur_strength=strength)

    assert settings.text_is_readable == is_readable


def test_nobody_is_followed_at_first_and_by_default_the_largest_person() -> None:
    followed = DEFAULT.with_person(None)

    assert not DEFAULT.follows_person
    assert followed.follows_person
    assert not followed.with_person(None, on=False).follows_person


def test_a_change_is_in_force_counted_and_told() -> None:
    owner = SettingsOwner(DEFAULT)
    told: list[tuple[Settings, int]] = []
    owner.listen(lambda: told.append((owner.current, owner.revision)))

    changed = owner.change(lambda now: now.replace(frozen=True))

    assert changed.frozen
    assert owner.current is changed
    assert told == [(changed, 1)]


def test_what_stays_equal_notifies_nobody() -> None:
    owner = SettingsOwner(DEFAULT)
    told: list[int] = []
    owner.listen(lambda: told.append(owner.revision))

    same = owner.change(lambda now: now.replace(frozen=False))

    assert same is DEFAULT
    assert told == []
    assert owner.revision == 0


def test_an_update_that_fails_changes_nothing() -> None:
    owner = SettingsOwner(DEFAULT)

    with pytest.raises(ZeroDivisionError):
        owner.change(lambda now: now.replace(frozen=bool(1 // 0)))

    assert owner.current is DEFAULT
    owner.change(lambda now: now.replace(frozen=True))
    assert owner.revision == 1


def test_what_the_settings_name_may_be_renewed() -> None:
    owner = SettingsOwner(DEFAULT)
    told: list[int] = []
    owner.listen(lambda: told.append(owner.revision))

    owner.renew()

    assert told == [1]
    assert owner.current is DEFAULT


def test_an_edit_of_a_stale_snapshot_changes_what_it_was_meant_to_and_nothing_else() -> None:
    before = DEFAULT
    edited = before.replaced_at(["light"], match=50).replace(frozen=True)
    current = before.replaced_at(["light"], brightness=20).replaced_at(["output"], mirror=True)

    rebased = rebase(current, before, edited)

    assert rebased == current.replaced_at(["light"], match=50).replace(frozen=True)


def test_without_a_difference_the_current_settings_stay_the_same_value() -> None:
    current = DEFAULT.replace(frozen=True)

    assert rebase(current, DEFAULT, DEFAULT) is current


def test_what_differs_may_be_taken_from_other_settings() -> None:
    """As where a change is taken back: what it changed, with the values from before."""
    changed = DEFAULT.replaced_at(["light"], match=50).replace(frozen=True)
    values = DEFAULT.replaced_at(["light"], match=10, brightness=30)
    current = changed.replaced_at(["output"], mirror=True)

    rebased = rebase(current, DEFAULT, changed, values)

    assert rebased == current.replaced_at(["light"], match=10).replace(frozen=False)


def test_zones_that_two_changes_add_are_both_there() -> None:
    rebased = rebase(with_zones(DOOR, DESK), with_zones(DOOR), with_zones(DOOR, BED))

    assert zones_of(rebased) == (DOOR, DESK, BED)


def test_a_zone_that_one_change_removes_is_gone_and_that_of_the_other_stays() -> None:
    rebased = rebase(with_zones(DOOR, DESK), with_zones(DOOR), with_zones())

    assert zones_of(rebased) == (DESK,)


def test_a_zone_that_both_changes_add_is_there_once() -> None:
    rebased = rebase(with_zones(DOOR), with_zones(), with_zones(DOOR, BED))

    assert zones_of(rebased) == (DOOR, BED)


def test_a_zone_that_the_other_change_removed_stays_removed() -> None:
    rebased = rebase(with_zones(), with_zones(DOOR), with_zones(DOOR, BED))

    assert zones_of(rebased) == (BED,)


def test_more_zones_than_there_may_be_are_cut_off() -> None:
    most = tuple(Zone(points=((number / MAX_ZONES, 0.5),)) for number in range(MAX_ZONES))

    rebased = rebase(with_zones(*most), with_zones(), with_zones(DOOR))

    assert zones_of(rebased) == most
