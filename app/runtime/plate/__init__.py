"""Capturing an empty-background plate."""
