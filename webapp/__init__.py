"""The web app: the only package that knows Django, Django REST framework and Celery."""
