"""The frame step on a processor: network in OpenVINO, arithmetic in `app.matting.kernels`."""
