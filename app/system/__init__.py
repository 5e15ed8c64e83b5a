"""The host system: Python environment, display, systemd service, processes that hold devices."""
