"""Translation of the window."""
