"""Converting files: a clip or a folder of images, every frame once."""
