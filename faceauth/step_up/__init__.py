"""Step-up authentication: is it still the same user, and has the second step been done?"""
