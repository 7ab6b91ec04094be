"""From a frame to an aligned face, and back under a mask."""
