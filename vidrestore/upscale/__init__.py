"""Enlarging frames: the interface, and the resamplers behind it."""
