"""Types, errors, settings and geometry: values without behaviour. Files, threads and compiled functions.

The exit codes of every command stand here: run.py needs one before anything is installed.
"""

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
