"""Following faces from frame to frame, within a shot."""
