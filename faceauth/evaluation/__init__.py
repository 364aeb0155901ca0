"""Measure accuracy and attack the liveness challenge. An optional app, ``faceauth.evaluation``.

``face_evaluate`` measures how well a folder of photos is distinguished, ``face_calibrate`` checks
the site's own templates, and ``face_attack`` attacks the challenge or a whole site. The map:

- `dataset`: a folder of photos, encoded
- `scores`: distances between templates and probes, and their error rates
- `lfw`: accuracy by LFW's protocol of pairs
- `identification`: one person among many, by the app's policy
- `calibrate`: make a calibration, such as the one that ships with the app
- `accuracy_report`, `plots`: the results as text and as curves
- `pad`: presentation attacks and genuine attempts, rendered, judged and counted
- `posting`: a whole site attacked, trusted devices and codes included
- `throwaway`, `accounts`: sites of one's own to attack, in processes of their own
"""
