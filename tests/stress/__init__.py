"""Soak and fuzz runs, started by hand."""
