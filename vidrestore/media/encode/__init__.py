"""From frames to packets: which encoder, how it is opened and what it is given."""
