"""The window's languages."""
