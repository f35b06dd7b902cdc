from django.apps import AppConfig


class SlatesConfig(AppConfig):
    name = "webapp.slates"
