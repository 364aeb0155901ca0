"""Store encodings: keys and encryption, and the model field."""
