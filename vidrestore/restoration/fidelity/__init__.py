"""How much to restore: what a face shows, and which w and strength follow from it."""
