"""Widgets and looks shared by the panels and dialogs."""
