"""From frames to packets: which encoder is used, with which options, and how frames are given to it."""
