"""The projects that the tests run in, each with its settings.

site: The example site, `config.settings`, in fixed surroundings.
stock: A project as `django-admin startproject` makes it; faces lie beside Django's own user model.
own: A project whose user model has as little as Django allows.

`site.pgvector` and `stock.pgvector` are these projects with a gallery that PostgreSQL searches.
"""
