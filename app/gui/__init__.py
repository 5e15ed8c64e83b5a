"""The window. The only package that imports PyQt6."""
