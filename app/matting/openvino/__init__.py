"""Networks in OpenVINO, for CPUs."""
