"""What old and compressed video looks like, made from clean pictures and clips."""
