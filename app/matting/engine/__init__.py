"""The engine: validates frames, resets at scene cuts, handles failures."""
