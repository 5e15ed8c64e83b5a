"""Tests of `app.matting.kernels.composite`."""
