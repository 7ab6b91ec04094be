"""Cut aligned faces out of frames, and paste restored ones back under a soft mask."""
