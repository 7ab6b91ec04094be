"""Model weights: the registry of known files, downloading them, and reading them."""
