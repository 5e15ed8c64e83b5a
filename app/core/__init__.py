"""Types, errors, settings and geometry: values without behaviour.

Files, threads and compiled functions.

The exit codes of every command stand here: run.py needs one before anything is installed.
"""

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
