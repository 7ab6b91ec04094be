"""What tests are made with: clips, readers, drawn faces, stand-in weights and devices."""
