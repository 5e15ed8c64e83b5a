"""The frame step in torch: the reference implementation for all backends."""
