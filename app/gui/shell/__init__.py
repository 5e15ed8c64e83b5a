"""The main window, its menus and its life cycle."""
