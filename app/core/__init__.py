"""Types, errors, settings and geometry: values without behaviour."""
