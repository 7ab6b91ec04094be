"""Training CodeFormer: data, the three stages, and the loop that they share."""
