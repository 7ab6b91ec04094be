"""What a run does to faces, shown: as data, as pages, as pictures and as videos to compare."""
