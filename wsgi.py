"""The WSGI entry: `wsgi:app` from the checkout, `lotseal.wsgi:app` from the installed package."""

from lotseal.web import create_app

app = create_app()
