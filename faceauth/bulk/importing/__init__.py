"""Import encodings that other programs stored into accounts. Nothing in a file is executed."""
