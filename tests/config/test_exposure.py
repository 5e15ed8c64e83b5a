"""What a change may show: the declarations say which settings hide, and one rule compares two settings."""

from __future__ import annotations

from typing import Any

import pytest

from app.config.exposure import exposed_by, without_exposure
from app.config.setting import SETTINGS, Setting
from app.effects.zones import Zone
from app.settings import Settings
from tests.other_values import other_value
from tests.paths import ROOT

HIDING = [setting for setting in SETTINGS.values() if setting.hides is not None]
DOOR = Zone(points=((0.1, 0.1),))
LOCKED = Settings().replaced_at(["output"], pause_when_locked=True)
NONE = Settings().replaced_at(["background"], kind="none")


def edged(**edges: Any) -> Settings:
    return Settings().replaced_at(["matting", "edges"], **edges)


def alone(place: tuple[float, float] | None = None) -> Settings:
    return Settings().with_person(place)


def zoomed(zoom: float, pan_x: float = 0.0, *, none: bool = True) -> Settings:
    return (NONE if none else Settings()).replaced_at(["framing"], zoom=zoom, pan_x=pan_x)


def strict(level: str) -> Settings:
    return Settings().replaced_at(["strict"], level=level)


def blurred(strength: float, level: str = "off") -> Settings:
    return strict(level).replaced_at(["background"], blur_strength=strength)


@pytest.mark.parametrize(
    ("new", "current", "exposed"),
    [
        pytest.param(NONE, Settings(), ("room",), id="no background"),
        pytest.param(NONE, NONE, (), id="no background as now"),
        pytest.param(zoomed(1), zoomed(2), ("room",), id="more of a frame without a background"),
        pytest.param(zoomed(2, 1), zoomed(2, -1), ("room",), id="another part of it"),
        pytest.param(zoomed(4, 0.1), zoomed(2), (), id="less of it"),
        pytest.param(
            zoomed(1, none=False), zoomed(2, none=False), (), id="more of a frame with a background"
        ),
        pytest.param(blurred(30), blurred(31), ("readable",), id="a weaker blur"),
        pytest.param(
            blurred(30),
            blurred(30, "balanced"),
            ("readable", "things"),
            id="a blur that strict mode raised",
        ),
        pytest.param(blurred(30), NONE, (), id="any blur after no background"),
        pytest.param(
            Settings(),
            Settings().replaced_at(["people"], zones=(DOOR,)),
            ("hidden",),
            id="a zone less",
        ),
        pytest.param(
            Settings().replaced_at(["people"], zones=(DOOR,)), Settings(), (), id="a zone more"
        ),
        pytest.param(Settings(), alone(), ("people",), id="everybody"),
        pytest.param(alone((0.5, 0.5)), alone((0.1, 0.5)), ("people",), id="another person"),
        pytest.param(alone(), Settings(), (), id="one person"),
        pytest.param(strict("off"), Settings(), ("things",), id="no strict mode"),
        pytest.param(Settings(), strict("off"), (), id="strict mode"),
        pytest.param(edged(grow_px=1), Settings(), ("edges",), id="a wider edge"),
        pytest.param(Settings(), edged(grow_px=1), (), id="a narrower edge"),
        pytest.param(edged(feather_px=3), edged(feather_px=2), ("edges",), id="a softer edge"),
        pytest.param(edged(feather_px=2), edged(feather_px=3), (), id="a less soft edge"),
        pytest.param(edged(contrast=0.5), Settings(), ("edges",), id="a harder edge"),
        pytest.param(
            edged(contrast=0.5, threshold=0.3),
            edged(contrast=0.5),
            ("edges",),
            id="a lower threshold",
        ),
        pytest.param(
            Settings().replaced_at(["light"], match=50), Settings(), (), id="another light"
        ),
        pytest.param(Settings(), LOCKED, ("locked",), id="no pause while the screen is locked"),
        pytest.param(LOCKED, Settings(), (), id="a pause while the screen is locked"),
        pytest.param(Settings(paused=True), Settings(), (), id="a pause"),
    ],
)
def test_what_a_change_may_show(new: Settings, current: Settings, exposed: tuple[str, ...]) -> None:
    """Strict mode and the width of the edge were switched off by a scene, and by a change taken back, unasked."""
    assert exposed_by(new, current) == exposed
    kept = without_exposure(new, current)
    assert exposed_by(kept, current) == ()
    assert kept == (current if exposed else new)


def test_taking_a_change_back_gives_back_all_that_shows_no_more() -> None:
    now = (
        edged(feather_px=3)
        .replaced_at(["people"], zones=(DOOR,))
        .replaced_at(
            ["output"],
            mirror=True,
        )
    )
    before = (
        strict("off")
        .replaced_at(["light"], match=20)
        .replaced_at(
            ["capture"],
            source="camera:3",
            rotate=90,
        )
    )

    given_back = without_exposure(before, now)

    assert given_back == before.replaced_at(["people"], zones=(DOOR,)).replaced_at(
        ["strict"], level="balanced"
    )


def test_a_background_is_given_back_as_a_whole_or_not_at_all() -> None:
    """A blur of another strength than either had would be behind the person."""
    now = blurred(85).replaced_at(
        ["background"],
        kind="image",
        path=ROOT / "app" / "assets" / "quality.jpg",
    )
    before = blurred(20)

    given_back = without_exposure(before, now)

    assert given_back.background == now.background


# Other values of settings that no text stands for.
KNOWN: dict[str, Any] = {
    "people.zones": (DOOR,),
    "people.selected": (0.5, 0.5),
    "version": 3,
    "window.cameras": {},
}


def with_switch(setting: Setting) -> Settings:
    """Return settings in which the switch is on without which this setting shows nothing."""
    if setting.hides is None or not setting.hides.only_with:
        return Settings()
    return Settings().replaced_at(setting.path[:-1], **{setting.hides.only_with: True})


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
def test_a_setting_counts_as_hiding_where_it_is_declared_to(setting: Setting) -> None:
    """The gate lets a frozen picture leave only while all of these have the values with which it was made."""
    settings = with_switch(setting)
    value = KNOWN.get(setting.name)
    if value is None:
        value = other_value(setting, ROOT / "app" / "assets" / "quality.jpg")

    changed = setting.replaced_in(settings, value)

    assert (changed.hides != settings.hides) is (setting.hides is not None)


@pytest.mark.parametrize(
    "setting",
    [each for each in HIDING if each.hides and each.hides.exposure],
    ids=lambda setting: setting.name,
)
def test_a_setting_that_is_declared_to_hide_is_asked_about_in_one_direction_at_least(
    setting: Setting,
) -> None:
    settings = with_switch(setting)
    value = KNOWN.get(setting.name) or other_value(setting, ROOT)
    other = setting.replaced_in(settings, value)

    both = {exposed_by(other, settings), exposed_by(settings, other)}
    assert setting.hides is not None and (setting.hides.exposure,) in both
