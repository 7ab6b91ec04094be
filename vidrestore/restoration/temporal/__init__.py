"""Holding a face steady over the frames around it."""
