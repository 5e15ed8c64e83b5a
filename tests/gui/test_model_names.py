"""The models' names in the window."""

from __future__ import annotations

from app.gui.i18n.messages import TITLES, describe_model
from models.table import NETWORKS


def test_every_title_in_the_table_can_be_translated() -> None:
    assert {spec.title for spec in NETWORKS.values()} == set(TITLES)


def test_an_unknown_name_is_shown_as_it_is() -> None:
    assert describe_model("of-tomorrow") == "of-tomorrow"
    assert describe_model("auto") == "Automatic"
