"""The strip of backgrounds: its files, its items, and what the user does with them."""
