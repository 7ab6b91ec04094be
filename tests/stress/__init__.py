"""Long tests that are started by hand: damaged files (fuzz) and killed runs (soak)."""
