"""Temporal stabilisation: a face is stabilised over the frames around it."""
