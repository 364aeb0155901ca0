"""Folders of photos, for the commands that read them.

rosters: whose photos they are; photos: what they show; admission: from there into accounts;
sheets: all that on one page; known, groups: who is in pictures of several people;
files, processes, drawing, reasons: what the others share.
"""
