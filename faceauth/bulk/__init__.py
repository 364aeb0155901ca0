"""Enrol and recognise many people at once, from folders and files."""
