"""An optional app: face login for sites that log people in with django-allauth."""
