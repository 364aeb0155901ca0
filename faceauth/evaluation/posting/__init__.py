"""Attack a site by HTTP, as somebody with public photos and a script would.

``face_attack FOLDER --post`` runs what this package makes:

- `films`: animate photos, and keep the films that the challenge's own judge accepts
- `throwaway`, `serve`: a site of its own, with a database that is deleted afterwards
- `browser`: the requests
- `attacks`: what is tried
- `existence`: compare the answers and their times for accounts that exist and that don't
- `report`: the results as tables
"""
