"""Degradation: makes clean faces and clips look like old or compressed video."""
