"""What is the same in every project of `tests.projects`: with the face in the user's row or beside
it, with usernames or with addresses alone. Each project's tests of its own lie in a folder each.
"""
