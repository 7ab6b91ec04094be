"""OUT on disk: where it may be written, its segments, and how it appears when it is complete."""
