"""Scripts that make assets, translations and pictures for the documents."""
