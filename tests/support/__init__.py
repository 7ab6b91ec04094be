"""Helpers of several test files: clips, readers, drawn faces, stand-in weights and devices."""
