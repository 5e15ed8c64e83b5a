"""Tests of `app.matting.torch`."""
