"""Folders and files of people, for the commands that read them."""
