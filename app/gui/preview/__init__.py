"""The live preview: view, rendering, interaction."""
