"""Tests of the service are left out where its packages are missing; a coroutine is run in an event loop of its own."""

from __future__ import annotations

import asyncio
import inspect
from importlib.util import find_spec

import pytest

collect_ignore_glob = [] if find_spec("aiortc") else ["*/test_*.py"]  # service/requirements.txt is not installed


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in arguments}))
    return True
