"""Faces beside users: for a project whose user model may not be changed."""
