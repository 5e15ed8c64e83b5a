"""The window: the only place that imports PyQt6.

`application` starts it, `main_window` puts it together, `bridge` is the only file that knows both Qt and the pipeline,
`services` is what the window asks the rest of the program (and knows nothing of Qt).
"""
