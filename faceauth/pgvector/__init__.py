"""Who is nearest, found by PostgreSQL: for more people than each process should keep in memory.

What is searched is not encrypted, see `models.FaceVector`. The search is `gallery.VectorGallery`.
"""
