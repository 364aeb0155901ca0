"""Presentation attack detection (PAD): attack the login with photos and films.

``face_attack`` runs what this package makes. An attacker is a program that is told the step that is
shown and returns the next frame:

- `photo_attacks`: one photo in a hand, on paper or on a screen
- `puppet`, `puppet_attacks`: one photo moved by software as a head moves; several photos
- `films`, `film_attacks`: films as they are, films cut live to the steps, an answer sent again
- `following`: when and how far to move
- `rendering`: a photo or a screen before a webcam

And what it is used against:

- `talk`: the conversation with the site
- `visitor`: a browser before a site in the same process
- `portraits`, `targets`: the people who are attacked
- `species`: all attacks, and how many may succeed
- `trial`, `run`: the attempts, one by one and in several processes
- `report`: the results as a table
"""
