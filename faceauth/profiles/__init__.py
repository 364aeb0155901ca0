"""Faces in a table beside the user model, for a project that can't change its user model."""
