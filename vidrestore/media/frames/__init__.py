"""A frame's samples: planes, crops, pixel formats, colour."""
