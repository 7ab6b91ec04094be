"""How much to restore: a face's quality, and the fidelity weight and strength chosen from it."""
