"""Tests of `app.offline.batch`."""
