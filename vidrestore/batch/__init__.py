"""Many files, one after another: which they are, where their results go, and which are finished."""
