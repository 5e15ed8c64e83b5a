"""Tests of `app.matting.torch_backend`."""
