"""Tests of `app.offline.evaluation`."""
