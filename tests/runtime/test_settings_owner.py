"""Atomic changes of the settings."""

from __future__ import annotations

import pytest

from app.core.settings import Settings
from app.runtime.shared import SettingsOwner, rebase
from tests.runtime.running import BASE
from tests.waiting import beside


def test_a_change_returns_the_new_settings_and_an_equal_one_notifies_nobody() -> None:
    owner = SettingsOwner(BASE)
    notified: list[bool] = []
    owner.listen(lambda: notified.append(owner.current.paused))
    assert owner.change(lambda settings: settings.replace(paused=True)).paused
    assert owner.change(lambda settings: settings.replace(paused=True)) is owner.current
    assert notified == [True], "an equal value is no change"


def test_no_change_of_several_threads_is_lost() -> None:
    owner = SettingsOwner(BASE)

    def rise(settings: Settings) -> Settings:
        return settings.replace(capture=settings.capture.replace(width=settings.capture.width + 1))

    for rises in [beside(lambda: [owner.change(rise) for _ in range(50)]) for _ in range(4)]:
        rises.result(10)
    assert owner.current.capture.width == BASE.capture.width + 200


def test_an_update_that_raises_changes_nothing() -> None:
    owner = SettingsOwner(BASE)

    def refuse(settings: Settings) -> Settings:
        raise LookupError("no such scene")

    with pytest.raises(LookupError):
        owner.change(refuse)
    assert owner.current is BASE
    assert owner.change(lambda settings: settings.replace(frozen=True)).frozen, "the lock is free again"


def test_a_stale_snapshot_cannot_undo_a_privacy_command() -> None:
    """The window edits what it saw before `pause` and before "none" was left."""
    seen = BASE.replace(background=BASE.background.replace(kind="none"))
    owner = SettingsOwner(seen)
    edited = seen.replace(
        matting=seen.matting.replace(downsample_ratio=0.3), background=seen.background.replace(blur_strength=10)
    )
    owner.change(lambda settings: settings.replace(paused=True))
    owner.change(lambda settings: settings.replace(background=settings.background.replace(kind="blur")))
    merged = owner.change(lambda settings: rebase(settings, seen, edited))
    assert merged.paused
    assert merged.background.kind == "blur"
    assert merged.background.blur_strength == 10
    assert merged.matting.downsample_ratio == 0.3
