"""Measuring: how good restored faces and clips are, and how fast the package is."""
