"""Every text for the user, by area: the English sentences are written here and nowhere else."""
