"""Give people what they may ask for: export, erasure and retention."""
