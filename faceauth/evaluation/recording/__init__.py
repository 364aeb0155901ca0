"""Record true logins and attacks with a camera of one's own: ``face_attack --record FOLDER``.

- `session`: lead a volunteer through the attempts, in the terminal
- `site`: a throw-away site on this computer that keeps the frames in the volunteer's folder
- `sheets`: what became of the attempts, without pictures, and the sheets of several people together
"""
