"""Track faces from frame to frame within a shot."""
