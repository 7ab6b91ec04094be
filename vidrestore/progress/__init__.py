"""How far a run or a batch is: counted in one place, and shown as a bar, as lines, or as JSON."""
