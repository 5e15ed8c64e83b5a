"""Which model, device, backend and precision to run."""
