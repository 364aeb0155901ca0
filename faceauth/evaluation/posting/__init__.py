"""Attack a whole site, as somebody with public photos and a script would.

``face_attack FOLDER --post`` runs what this package makes:

- `attacks`: what is tried
- `browser`: the requests to a site by HTTP
- `existence`: compare the answers and their times for accounts that exist and that don't
- `report`: the results as tables
"""
