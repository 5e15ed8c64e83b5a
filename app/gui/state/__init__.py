"""What the window knows: settings store, background tasks, bridge to the pipeline."""
