"""Tests of `app.runtime.plate`."""
