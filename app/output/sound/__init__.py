"""Sound of the microphone, for recordings."""
