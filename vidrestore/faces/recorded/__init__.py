"""Faces from a tracks file."""
