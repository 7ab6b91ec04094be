"""From a file or a pipe to frames with timestamps."""
