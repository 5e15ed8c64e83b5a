"""The files of the program and of the user: paths, names, writing, locks and errors."""
