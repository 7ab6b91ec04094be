"""Segments restored by several processes and machines, on Ray."""
