"""What the arguments of single commands mean: settings and answers."""
