"""The live preview: view, badges, interaction."""
