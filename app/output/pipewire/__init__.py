"""A camera that other programs see through PipeWire and the camera portal (Linux)."""
