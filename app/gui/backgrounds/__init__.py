"""The strip of backgrounds: its files, its items, how they are drawn and what the user does with them."""
