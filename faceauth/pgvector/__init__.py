"""Search in PostgreSQL, for more people than each process should hold in memory.

The vectors that are searched are not encrypted, see `models.FaceVector`. The search is
`gallery.VectorGallery`.
"""
