"""The machine: environment, display, service, holders of devices."""
