"""How well faces are told apart, measured on folders of photos or on a site's own templates.

photos: what a folder holds, encoded; scores: distances between people, and their rates;
pairs: LFW's protocol; identification: one among many; table: what the shipped calibration is
made from; plots: the curves.
"""
