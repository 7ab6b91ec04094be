"""Record the faces of a video, in memory and as a tracks file, and play them back."""
