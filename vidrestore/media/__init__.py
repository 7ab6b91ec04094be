"""Containers and frames: probe, decode, encode, mux; colour and planes. Knows nothing of faces."""
