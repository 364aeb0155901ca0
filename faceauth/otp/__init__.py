"""Face login for sites that ask for a token: with django-otp, or django-two-factor-auth.

Include `faceauth.otp.urls` instead of `faceauth.urls`. It is no app and needs no entry in
``INSTALLED_APPS``.
"""
