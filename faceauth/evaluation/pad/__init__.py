"""Presentation attack detection (PAD): attack the liveness challenge with photos and videos.

``face_attack`` runs what this package makes:

- `test_cases`: read photos, and make the attempts
- `scenarios`: the kinds of attempts, and the site's verdict on one
- `photo_attacks`, `multi_photo_attacks`, `video_attacks`: the frames that an attacker shows who has
  one photo, many photos, or a video
- `videos`: genuine attempts, from videos of heads that turn
- `rendering`: a photo in front of a webcam, on paper or on a screen
- `report`: the results as a table
"""
