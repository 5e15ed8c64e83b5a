"""CPU backend: the network runs in OpenVINO, the rest of the frame step in `app.matting.kernels`."""
