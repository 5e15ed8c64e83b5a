"""Matting by comparison with an empty-background plate."""
