"""Settings that no backup holds: which must be kept elsewhere, by name and never by value."""

from collections.abc import Mapping

SECRETS = {
    "MARQUEE_SECRET_KEY": "signs sessions and visits; with another one everybody is logged out",
    "MARQUEE_SECRET_KEY_FALLBACKS": "keys of before, which open older sessions and visits",
    "DATABASE_URL": "the password of the database",
    "CELERY_BROKER_URL": "the password of the broker",
    "MARQUEE_CACHE_URL": "the password of the cache",
    "MARQUEE_EMAIL_URL": "the password of the mail server",
    "MARQUEE_ALERT_URLS": "tokens of where alerts are sent",
    "MARQUEE_METRICS_TOKEN": "what Prometheus sends",
    "MARQUEE_SIMULATION_TOKEN": "what simulated viewers send",
}
"""Settings that hold a secret, with what each is for."""


def settings_to_keep(environment: Mapping[str, str]) -> str:
    """Return the text that lists, by name, the settings that a restored site needs again."""
    lines = [
        "This backup holds the database and the artifacts, and no setting of the site.",
        "Keep these elsewhere, in a store of secrets, and set them again before you restore:",
        "",
    ]
    lines += [
        f"{name} ({'set' if environment.get(name) else 'not set'}): {meaning}"
        for name, meaning in SECRETS.items()
    ]
    others = sorted(
        name for name in environment if name.startswith("MARQUEE_") and name not in SECRETS
    )
    if others:
        lines += ["", "These were set too:", "", *others]
    return "\n".join(lines) + "\n"
