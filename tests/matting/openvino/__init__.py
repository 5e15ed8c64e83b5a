"""Tests of `app.matting.openvino`."""
