"""The window. Only this package imports PyQt6.

`shell.application` starts it, `shell.main_window` assembles it, `state.bridge` connects Qt to the pipeline, and
`state.services` gives the panels access to the rest of the program (without Qt).
"""
