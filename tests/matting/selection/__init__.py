"""Tests of `app.matting.selection`."""
