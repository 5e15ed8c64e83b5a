"""The window. Only this package imports PyQt6.

`application` starts it, `main_window` assembles it, and `bridge` connects Qt to the pipeline.
"""
