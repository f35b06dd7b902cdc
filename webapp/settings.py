"""Django settings: environment variables in, checked settings out.

`docs/operations.md` lists the variables. Each is read once, below; `_seal` then raises
ImproperlyConfigured with every invalid one, and what is derived from them comes after it.
"""

import logging
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import dj_database_url
import django_stubs_ext
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvValidationError, ValidationError, validate
from kombu import Queue
from redis.backoff import NoBackoff
from redis.retry import Retry

django_stubs_ext.monkeypatch()  # lets admin classes and managers name their model

BASE_DIR = Path(__file__).resolve().parent.parent
SOURCE = re.compile(r"https?:(//(\*\.)?[\w-]+(\.[\w-]+)*(:\d+)?)?")
"""A scheme or an origin, as in a Content-Security-Policy."""
APPRISE_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
MIN_SECRET_KEY = 40
DEBUG_SECRET_KEY = "only-for-debugging-" * 3
env = Env(eager=False)


@env.parser_for("secret_key")
def _secret_key(value: str, *, if_empty: str) -> str:
    key = value or if_empty
    if len(key) < MIN_SECRET_KEY:
        raise ValidationError(
            f"must hold at least {MIN_SECRET_KEY} random characters, got {len(key)}; make one with "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe(50))'`."
        )
    return key


@env.parser_for("secret_keys")
def _secret_keys(value: str) -> list[str]:
    keys = [key.strip() for key in value.split(",") if key.strip()]
    if short := [len(key) for key in keys if len(key) < MIN_SECRET_KEY]:
        raise ValidationError(
            f"each must hold at least {MIN_SECRET_KEY} characters, got {short[0]}; separate keys "
            "by commas."
        )
    return keys


@env.parser_for("postgresql")
def _postgresql(value: str) -> dict[str, Any]:
    try:
        database = dict(dj_database_url.parse(value))
    except ValueError:  # ParseError and UnknownSchemeError are
        database = {}
    if database.get("ENGINE") != "django.db.backends.postgresql":
        raise ValidationError(
            "must name a PostgreSQL database: postgres://user:password@host/name."
        )
    return database


@env.parser_for("postgresql_or_none")
def _postgresql_or_none(value: str) -> dict[str, Any]:
    return _postgresql(value) if value else {}


def _are_sources(sources: list[str]) -> None:
    for source in sources:
        if not SOURCE.fullmatch(source):
            raise ValidationError(
                f"each must be a scheme or an origin, https: or https://images.example.org, "
                f"got {source!r}."
            )


def _are_apprise_urls(urls: list[str]) -> None:
    """Check the form alone: Apprise is loaded by workers, which check the rest."""
    for number, url in enumerate(urls, start=1):
        if not APPRISE_URL.fullmatch(url):
            raise ValidationError(
                f"URL {number} must be one of Apprise's, as in ntfy://topic, separated by spaces."
            )


def _is_replaced(webhook: str) -> None:
    if webhook:
        raise ValidationError(
            "was replaced by MARQUEE_ALERT_URLS: for https://host/path set it to "
            "jsons://host/path?:message=text, and unset this one."
        )


def _seal() -> None:
    """Raise ImproperlyConfigured if any variable is invalid, with all of them in one line."""
    try:
        env.seal()
    except EnvValidationError as error:
        by_name = cast(Mapping[str, list[str]], error.error_messages)
        invalid = "; ".join(f"{name}: {' '.join(by_name[name]).rstrip('.')}" for name in by_name)
        raise ImproperlyConfigured(
            f"Invalid environment variables: {invalid}. "
            "Correct them (docs/operations.md lists the allowed values) and start again."
        ) from None


DEBUG = env.bool("MARQUEE_DEBUG", False)
SECRET_KEY: str = env.secret_key(
    "MARQUEE_SECRET_KEY", "", if_empty=DEBUG_SECRET_KEY if DEBUG else ""
)
SECRET_KEY_FALLBACKS: list[str] = env.secret_keys("MARQUEE_SECRET_KEY_FALLBACKS", "")
"""Keys of before, which still open sessions and visits; new ones are signed by `SECRET_KEY`."""
PROXIES = env.int("MARQUEE_PROXIES", 0, validate=validate.Range(min=0, max=10))
"""How many proxies of ours stand in front: so many forwarded addresses are believed."""
SILENCED_SYSTEM_CHECKS: list[str] = env.list("MARQUEE_SILENCED_CHECKS", [])
STAFF_SECOND_FACTOR = env.bool("MARQUEE_STAFF_SECOND_FACTOR", False)
"""Whether operators need a second factor for the admin and the dashboards."""
ALLOWED_HOSTS = env.list("MARQUEE_ALLOWED_HOSTS", ["localhost", "127.0.0.1"])
SECURE = env.bool("MARQUEE_SECURE", True)
"""HTTPS only: redirect, secure cookies, HSTS."""
MARQUEE_HOME = Path(env.str("MARQUEE_HOME", str(BASE_DIR / "var"))).resolve()
"""Folder of artifacts and, in the demo, of the servers' data."""
STATIC_ROOT = Path(env.str("MARQUEE_STATIC_ROOT", str(MARQUEE_HOME / "static"))).resolve()
"""Where `collectstatic` puts static files, and what serves them finds them."""
ARTIFACT_STORE = env.str(
    "MARQUEE_ARTIFACT_STORE",
    "",
    validate=validate.Regexp(
        r"^((s3|gs|az|file)://.+)?$",
        error="must be an address such as s3://bucket/prefix, or be empty.",
    ),
)
"""Bucket that hosts share artifacts by; empty: they lie below `MARQUEE_HOME` alone."""
DOWNLOADED_BYTES = int(
    1e9 * env.float("MARQUEE_DOWNLOADED_GB", 10.0, validate=validate.Range(min=0))
)
"""How much of what was downloaded from the bucket a host keeps."""
RAY_ADDRESS = env.str(
    "MARQUEE_RAY_ADDRESS",
    "",
    validate=validate.Regexp(r"^([^/\s]+:\d+)?$", error="must be host:port, or be empty."),
)
"""Head of the Ray cluster that computes iALS's vectors; empty: the trainer's own machine does."""
EMBEDDER = env.str("MARQUEE_EMBEDDER", "")
"""Folder of a sentence-transformers model, or an installed package that ships one, by which search
finds what means the same in other words; empty: none."""
_database: dict[str, Any] = env.postgresql("DATABASE_URL", "postgres://localhost/marquee")
_replica: dict[str, Any] = env.postgresql_or_none("MARQUEE_REPLICA_URL", "")
"""A database that follows the other one and answers what may be a little late."""
PGBOUNCER = env.bool("MARQUEE_PGBOUNCER", False)
"""Whether the database is reached by a PgBouncer that pools transactions."""
PROCESS = env.str("MARQUEE_PROCESS", "", validate=validate.OneOf(["", "web", "worker"]))
"""What this process is; web server and worker say so themselves, a command is neither."""
_statement_seconds = {
    "web": env.float("MARQUEE_WEB_STATEMENT_SECONDS", 5.0, validate=validate.Range(min=0.1)),
    "worker": env.float("MARQUEE_WORKER_STATEMENT_SECONDS", 3600.0, validate=validate.Range(min=1)),
}
"""How long one statement may take, by process; a command's may take as long as it does."""
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "redis://127.0.0.1:6379/0")
_cache_url = env.str("MARQUEE_CACHE_URL", "")
VISIT_GAP_SECONDS = env.int(
    "MARQUEE_VISIT_GAP_SECONDS", 1800, validate=validate.Range(min=60, max=86_400)
)
RELEASE_POLL_SECONDS = env.float(
    "MARQUEE_RELEASE_POLL_SECONDS", 2.0, validate=validate.Range(min=0.1, max=3600)
)
INDEX_WAIT_SECONDS = env.float(
    "MARQUEE_INDEX_WAIT_SECONDS", 20.0, validate=validate.Range(min=0, max=3600)
)
"""How long a web process waits for the worker's index before it builds its own; 0: not at all."""
ROW_SIZE = env.int("MARQUEE_ROW_SIZE", 20, validate=validate.Range(min=6, max=60))
RELEVANCE_SHARE = env.float("MARQUEE_RELEVANCE_SHARE", 0.8, validate=validate.Range(min=0, max=1))
EXPLORATION = env.float("MARQUEE_EXPLORATION", 0.2, validate=validate.Range(min=0, max=0.5))
GATE_TOLERANCE = env.float("MARQUEE_GATE_TOLERANCE", 0.05, validate=validate.Range(min=0, max=1))
RANKER_MIN_SLATES = env.int("MARQUEE_RANKER_MIN_SLATES", 1000, validate=validate.Range(min=1))
"""Slates seen within 30 days before a ranker is trained; until then the fused score orders."""
TRENDING_SEARCHES = env.bool("MARQUEE_TRENDING_SEARCHES", True)
"""Whether what many accounts search for is shown to everyone."""
TRENDING_SEARCH_VIEWERS = env.int(
    "MARQUEE_TRENDING_SEARCH_VIEWERS", 5, validate=validate.Range(min=2)
)
"""Different accounts that sent a search text off before others are shown it."""
TRENDING_SEARCH_DAYS = env.int(
    "MARQUEE_TRENDING_SEARCH_DAYS", 7, validate=validate.Range(min=1, max=365)
)
SIMULATION_TOKEN = env.str(
    "MARQUEE_SIMULATION_TOKEN",
    "",
    validate=validate.Regexp(r"^(.{32,})?$", error="must hold 32 characters or more, or be empty."),
)
"""Lets its sender act as a simulated viewer; empty: nobody may."""
MEDIA_SOURCES = env.list("MARQUEE_MEDIA_SOURCES", ["https:"], validate=_are_sources)
"""Where browsers may fetch the catalogue's own posters and films from, as in a CSP."""
RANKER_LEARNS_FROM_SIMULATED = env.bool("MARQUEE_RANKER_LEARNS_FROM_SIMULATED", False)
"""Whether simulated visits may train a ranker while real ones are too few."""
ALERT_THRESHOLDS = {
    "abandonment": env.float(
        "MARQUEE_ALERT_ABANDONMENT", 0.8, validate=validate.Range(min=0, max=1)
    ),
    "fallback_share": env.float(
        "MARQUEE_ALERT_FALLBACK_SHARE", 0.05, validate=validate.Range(min=0, max=1)
    ),
    "event_lag_seconds": env.float(
        "MARQUEE_ALERT_EVENT_LAG_SECONDS", 300.0, validate=validate.Range(min=0)
    ),
    "model_age_hours": env.float(
        "MARQUEE_ALERT_MODEL_AGE_HOURS", 72.0, validate=validate.Range(min=0)
    ),
}
"""The value above which each reading raises an alert."""
ALERT_URLS: list[str] = env.list(
    "MARQUEE_ALERT_URLS", [], delimiter=None, validate=_are_apprise_urls
)
"""Where alerts are sent, in Apprise's notation."""
env.str("MARQUEE_ALERT_WEBHOOK", "", validate=_is_replaced)
ALERT_EMAIL: list[str] = env.list("MARQUEE_ALERT_EMAIL", [])
ALERT_REPEAT_HOURS = env.float("MARQUEE_ALERT_REPEAT_HOURS", 24.0, validate=validate.Range(min=0))
_email: dict[str, Any] = env.dj_email_url("MARQUEE_EMAIL_URL", "smtp://localhost:25")
DEFAULT_FROM_EMAIL = env.str("MARQUEE_EMAIL_FROM", "marquee@localhost")
METRICS_TOKEN = env.str(
    "MARQUEE_METRICS_TOKEN",
    "",
    validate=validate.Regexp(
        r"^([\x21-\x7e]{20,})?$",
        error="must hold at least 20 characters without spaces, or be empty.",
    ),
)
"""A bearer of it may read /metrics; empty: staff alone."""
EVENT_DAYS = env.int("MARQUEE_EVENT_DAYS", 0, validate=validate.Range(min=0))
"""Days after which events are deleted; 0 keeps them as long as their profile."""
VISIT_EVENTS = env.int("MARQUEE_VISIT_EVENTS", 10_000, validate=validate.Range(min=100))
"""Cards seen and progress of one visit are kept up to so many events, all else up to twice."""
ANONYMOUS_DAYS = env.int("MARQUEE_ANONYMOUS_DAYS", 90, validate=validate.Range(min=30))
"""Days after which visits of nobody's profile are deleted with all they hold."""
KEPT_RELEASES = env.int("MARQUEE_KEPT_RELEASES", 14, validate=validate.Range(min=2))
KEPT_RANKERS = env.int("MARQUEE_KEPT_RANKERS", 72, validate=validate.Range(min=2))
"""Of the newest releases, and rankers of each kind, so many keep their artifacts."""
EVENTS_A_DAY = env.int("MARQUEE_EVENTS_A_DAY", 200_000, validate=validate.Range(min=1000))
"""Events of one account, or of one address where nobody is logged in, within a day."""
SLATE_DAYS = env.int("MARQUEE_SLATE_DAYS", 90, validate=validate.Range(min=1))
MODEL_THREADS = env.int("MARQUEE_MODEL_THREADS", 1, validate=validate.Range(min=1))
"""Threads one web process may use for a model's arithmetic; processes give the parallelism."""
GUEST_MATURITY_LIMIT = env.int(
    "MARQUEE_GUEST_MATURITY_LIMIT", 18, validate=validate.OneOf([0, 6, 12, 16, 18])
)
"""The age up to which titles are shown where no profile is chosen; 18 is all."""
LOG_LEVEL = env.str(
    "MARQUEE_LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])
)
WEB_PROCESSES = env.int("MARQUEE_WEB_PROCESSES", 2, validate=validate.Range(min=1))
WEB_THREADS = env.int("MARQUEE_WEB_THREADS", 32, validate=validate.Range(min=1))
"""Threads that read requests, wait in line and write answers; how many work is `WEB_REQUESTS`."""
WEB_REQUESTS = env.int("MARQUEE_WEB_REQUESTS", 3, validate=validate.Range(min=1))
WEB_WAITING = env.int("MARQUEE_WEB_WAITING", 8, validate=validate.Range(min=0))
"""Requests of one process that are worked on at once, and that wait in line for their turn."""
PAGES_A_MINUTE = env.int("MARQUEE_PAGES_A_MINUTE", 600, validate=validate.Range(min=10))
_seal()

TESTING = "pytest" in sys.modules
EMAIL_HOST: str = _email["EMAIL_HOST"]
EMAIL_PORT: int = _email["EMAIL_PORT"]
EMAIL_HOST_USER: str | None = _email["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD: str | None = _email["EMAIL_HOST_PASSWORD"]
EMAIL_BACKEND: str = _email["EMAIL_BACKEND"]
EMAIL_USE_TLS: bool = _email["EMAIL_USE_TLS"]
EMAIL_USE_SSL: bool = _email["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10

INSTALLED_APPS = [
    "webapp.pages.admin_config.VerifiedAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "drf_spectacular",
    "rest_framework",
    "webapp.catalog",
    "webapp.profiles",
    "webapp.releases",
    "webapp.rules",
    "webapp.events",
    "webapp.slates",
    "webapp.experiments",
    "webapp.metrics",
    "webapp.jobs",
    "webapp.pages",
    "webapp.demo",
]

MIDDLEWARE = [
    "webapp.pages.front.ProbeMiddleware",
    "webapp.pages.admission.AdmissionMiddleware",
    "webapp.after_response.AfterResponseMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "webapp.pages.timing.ServerTimingMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "webapp.pages.front.ReadableMiddleware",
    "webapp.pages.front.PrivateMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "webapp.profiles.middleware.SessionAccountMiddleware",
    "webapp.pages.admission.PageLimitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "webapp.events.middleware.VisitMiddleware",
    "webapp.experiments.middleware.ArmMiddleware",
]

ROOT_URLCONF = "webapp.urls"
WSGI_APPLICATION = "webapp.wsgi.application"
APPEND_SLASH = True

_CONTEXT = [
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "environment": "webapp.pages.templating.environment",
            "context_processors": [
                *_CONTEXT,
                "webapp.pages.templating.csrf",
                "webapp.pages.context.viewer",
            ],
        },
    },
    # the admin's
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request", *_CONTEXT],
        },
    },
]

DATABASES = {
    "default": {
        **_database,
        "ENGINE": "webapp.postgresql",
        # A test's live server must not keep a connection when the test database goes.
        "CONN_MAX_AGE": 0 if TESTING else 60,
        "CONN_HEALTH_CHECKS": True,
        # A cursor on the server goes with its transaction, and so with PgBouncer's connection.
        "DISABLE_SERVER_SIDE_CURSORS": PGBOUNCER,
    }
}
# A server that hangs costs a viewer three seconds. Tests connect anew at every request of a live
# server, many at once, and a busy machine can keep one of them waiting for longer than that.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 30 if TESTING else 3)
LOCK_SHARE, IDLE_SHARE = 0.6, 2.0
"""Of a statement's seconds: to wait for a lock, and to leave a transaction open without a word."""
ANSWER_SPARE_SECONDS = 2.0
"""After these the client gives up on a server that hangs and ends nothing itself."""
if PROCESS and not PGBOUNCER:
    _options, _seconds = DATABASES["default"]["OPTIONS"], _statement_seconds[PROCESS]
    _options["options"] = " ".join(
        [
            _options.get("options", ""),
            f"-c statement_timeout={1000 * _seconds:.0f}",
            f"-c lock_timeout={1000 * LOCK_SHARE * _seconds:.0f}",
            f"-c idle_in_transaction_session_timeout={1000 * IDLE_SHARE * _seconds:.0f}",
        ]
    ).strip()
if PROCESS == "web":
    DATABASES["default"]["OPTIONS"]["answer_seconds"] = (
        _statement_seconds["web"] + ANSWER_SPARE_SECONDS
    )
if _replica:
    _options = DATABASES["default"]["OPTIONS"] | _replica.pop("OPTIONS", {})
    _own = {"ENGINE": "webapp.postgresql", "OPTIONS": _options}
    DATABASES["replica"] = DATABASES["default"] | _replica | _own
    DATABASE_ROUTERS = ["webapp.postgresql.replica.ReplicaRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _cache_url,
        # One that hangs or is dead costs a request half a second, once in a while.
        "OPTIONS": {
            "socket_timeout": 0.5,
            "socket_connect_timeout": 0.5,
            "retry": Retry(NoBackoff(), 0),
        },
    }
    if _cache_url
    # A few hundred callers must not push out how often another one tried.
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 3600}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_ROUTES = {"webapp.jobs.tasks.train": {"queue": "train"}}
CELERY_TASK_QUEUES = [Queue(name) for name in ("celery", "train")]
"""Trainings have a queue of their own: no other task waits for one."""
CELERY_TASK_SOFT_TIME_LIMIT, CELERY_TASK_TIME_LIMIT = 900, 960
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "train a release every day": {
        "task": "webapp.jobs.tasks.queue_training",
        "schedule": crontab(hour="4", minute="10"),
    },
    "train the ranker's teacher every day": {
        "task": "webapp.jobs.tasks.queue_ranker_teacher",
        "schedule": crontab(hour="3", minute="40"),
    },
    "let the ranker learn every hour": {
        "task": "webapp.jobs.tasks.queue_ranker_increment",
        "schedule": crontab(minute="20"),
        "options": {"expires": 3500},
    },
    "look after training runs": {
        "task": "webapp.jobs.tasks.look_after_runs",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "check health and alerts": {
        "task": "webapp.jobs.tasks.check_alerts",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "count what came": {
        "task": "webapp.jobs.tasks.refresh_metrics",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 590},
    },
    "report running experiments every hour": {
        "task": "webapp.jobs.tasks.report_experiments",
        "schedule": crontab(minute="40"),
        "options": {"expires": 3500},
    },
    "prune old slates": {
        "task": "webapp.jobs.tasks.prune_slates",
        "schedule": crontab(hour="5", minute="10"),
    },
    "prune expired sessions": {
        "task": "webapp.jobs.tasks.prune_sessions",
        "schedule": crontab(hour="5", minute="50"),
    },
    "prune old artifacts": {
        "task": "webapp.jobs.tasks.prune_artifacts",
        "schedule": crontab(hour="6", minute="0"),
    },
    "erase what was forgotten and old events": {
        "task": "webapp.jobs.tasks.prune_events",
        "schedule": crontab(hour="5", minute="30"),
    },
}
"""What beat starts and when, in UTC. Operators may change the times in the admin.

A message that the next one of its kind overtakes expires.
"""

PASSWORD_HASHERS = ["webapp.hashing.BoundedHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
OTP_TOTP_ISSUER = "Marquee"
OTP_ADMIN_HIDE_SENSITIVE_DATA = True
CSRF_FAILURE_VIEW = "webapp.pages.errors.csrf_failure"
LOGIN_URL = "login"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
"""So that a message goes with its session, and is not shown to who logs in next."""
LOGIN_REDIRECT_URL = "profiles"
LOGOUT_REDIRECT_URL = "home"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "webapp" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or TESTING
WHITENOISE_AUTOREFRESH = DEBUG

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", *MEDIA_SOURCES],
        "media-src": [SELF, *MEDIA_SOURCES],
        "connect-src": [SELF],
        "font-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "webapp.profiles.session_store"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["webapp.api.authentication.VisitorAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["webapp.api.parsing.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {
        "events": "600/min",
        "events_a_day": f"{EVENTS_A_DAY}/day",
        "pages": f"{PAGES_A_MINUTE}/min",
        "search": "600/min",
        "suggest": "1200/min",
        "login": "20/min",
        "login_account": "10/min",
        "login_browser": "60/hour",
        "data": "10/min",
    },
    "NUM_PROXIES": PROXIES,
    "EXCEPTION_HANDLER": "rest_framework.views.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Marquee",
    "DESCRIPTION": "Session-aware search and recommendation for a film and series catalogue.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "webapp.api.links.add_links",
    ],
}


def _is_worth_logging(record: logging.LogRecord) -> bool:
    """Return False for a readiness probe answered with 503: its reason is logged elsewhere."""
    request, status = getattr(record, "request", None), getattr(record, "status_code", None)
    return not (status == 503 and request is not None and request.path == "/readyz")


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
    },
    "filters": {
        "no_probes": {"()": "django.utils.log.CallbackFilter", "callback": _is_worth_logging}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "django.request": {"filters": ["no_probes"]},
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
}
