"""Who is who: embeddings of aligned faces, and the tracks that show the same person."""
