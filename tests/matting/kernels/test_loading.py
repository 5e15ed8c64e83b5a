"""No garbage collection of everything while the kernels are loaded."""

from __future__ import annotations

import gc

import pytest

from app.matting.kernels.loading import without_garbage_collection
from tests.fresh_python import printed_by

LOAD_AND_COUNT = """
import gc, sys
import app.gui.shell.application  # what a window keeps alive makes a collection of everything due
from app.matting.kernels.loading import start_loading

whole = []
gc.callbacks.append(lambda phase, info: whole.append(phase) if info["generation"] == 2 else None)
start_loading()
import app.matting.cpu
print("app.matting.kernels.composite" in sys.modules, len(whole), gc.isenabled(), gc.get_freeze_count() > 0)
"""


def test_a_failure_ends_it_as_well() -> None:
    with pytest.raises(ImportError), without_garbage_collection():
        raise ImportError
    assert gc.isenabled()
    gc.unfreeze()


def test_who_has_switched_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with without_garbage_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()


def test_the_kernels_are_loaded_without_a_collection_of_everything() -> None:
    assert printed_by(LOAD_AND_COUNT, limit_s=300).split() == ["True", "0", "True", "True"]
