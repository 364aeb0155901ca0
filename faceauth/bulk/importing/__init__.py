"""Encodings that other programs have kept: read, whatever they are kept in, and brought into
accounts. Nothing that is read is executed.
"""
