"""The models' names in the window."""

from __future__ import annotations

from app.gui.i18n.messages import describe_model


def test_an_unknown_name_is_shown_as_it_is() -> None:
    assert describe_model("of-tomorrow") == "of-tomorrow"
    assert describe_model("auto") == "Automatic"
