"""Everything in a file besides the restored video: streams that are copied, tags, chapters."""
