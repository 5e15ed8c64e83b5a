"""Tests of `app.matting.plate.picture`."""
