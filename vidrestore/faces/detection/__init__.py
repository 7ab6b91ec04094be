"""Face detection in single images."""
