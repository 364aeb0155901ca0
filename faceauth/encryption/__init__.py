"""How are encodings stored? Keys and encryption, and the model field."""
