"""The steps of a run, each in its module, and the options resolved for all of them."""
