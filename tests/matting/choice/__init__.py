"""Tests of `app.matting.choice`."""
