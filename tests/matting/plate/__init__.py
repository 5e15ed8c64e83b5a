"""Tests of `app.matting.plate.plate`."""
