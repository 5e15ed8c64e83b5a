"""Matting that compares the frame with an empty-background plate."""
