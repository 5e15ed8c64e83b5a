"""The user's files: settings, scenes, paths, logs, parsing of values."""
