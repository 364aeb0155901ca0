"""How well faces are told apart, measured on folders of photos or on a site's own templates; and
how well live heads are told from pictures of them.

photos: what a folder holds, encoded; scores: distances between people, and their rates;
pairs: LFW's protocol; identification: one among many; table: what the shipped calibration is
made from; plots: the curves.

staging: what is held up to a webcam; attacks, albums, replays: who has a photo, many, or a film;
clips: films of heads, and their parts that answer a challenge; supply, trials: attempts, made and
judged; liveness_report: what became of them.
"""
