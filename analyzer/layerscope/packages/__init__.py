"""Whose is each byte? The package databases, what each tells, and who owns which file."""
