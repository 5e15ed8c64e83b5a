"""Bad input of every kind: the default run takes a sample of the cases, `-m slow` all of them."""
