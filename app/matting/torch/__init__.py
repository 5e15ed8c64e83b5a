"""The frame step in torch: the reference, and the backend for GPUs."""
