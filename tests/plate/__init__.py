"""Tests of `app.plate`."""
