"""Speed: of the networks, of the whole program, and of a simple program as the baseline."""
