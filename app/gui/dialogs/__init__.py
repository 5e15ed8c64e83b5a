"""Windows beside the main window, and questions to the user."""
