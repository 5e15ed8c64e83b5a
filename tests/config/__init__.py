"""Tests of `app.config`."""
