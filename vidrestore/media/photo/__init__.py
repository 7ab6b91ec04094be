"""Photos: which files are one, their samples and metadata, and how they are written."""
