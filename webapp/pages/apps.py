from django.apps import AppConfig
from django.core.checks import Tags, register
from django.core.signals import request_started
from django.utils.module_loading import import_string

from webapp.pages.checks import check_proxies


class PagesConfig(AppConfig):
    name = "webapp.pages"

    def ready(self) -> None:
        """Register the system checks, and look at requests before Django makes them.

        The latter by name, since views need models.
        """
        register(check_proxies, Tags.security)
        request_started.connect(
            import_string("webapp.pages.front.set_charset_aside"), dispatch_uid="charset"
        )
