"""How fast the package is, what the hardware would allow, and what a plain program does."""
