"""Training and evaluation of matting networks: losses, metrics, data, the teacher's cache and the trainer."""
