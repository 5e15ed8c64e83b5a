"""Fixtures of the tests of batches."""

from tests.offline.batch.clips import resource_tracker

__all__ = ["resource_tracker"]
