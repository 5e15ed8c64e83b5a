"""Tests of `app.matting.openvino_backend`."""
