"""The page: ``vidrestore ui``, for people and programs, in a browser or over HTTP. Needs vidrestore[ui]."""
