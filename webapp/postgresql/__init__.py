"""Django's PostgreSQL backend with a check of connections that asks no query."""
