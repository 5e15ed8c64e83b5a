"""Where pictures go: virtual camera, recordings and memory."""
