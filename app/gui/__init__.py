"""The window. Only this package imports PyQt6.

`application` starts it, `main_window` assembles it, `bridge` connects Qt to the pipeline, and
`services` gives the panels access to the rest of the program (without Qt).
"""
