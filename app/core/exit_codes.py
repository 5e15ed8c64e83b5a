"""Exit codes of every command. Standard library only: run.py needs one before anything is installed."""

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
