"""Tests of `app.media`."""
