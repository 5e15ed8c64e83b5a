"""Selection of model, device, backend and precision."""
