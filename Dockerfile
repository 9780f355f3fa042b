# syntax=docker/dockerfile:1

FROM python:3.13-slim-bookworm AS built
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN python -m venv .venv
COPY requirements.lock ./
RUN .venv/bin/pip install --quiet --require-hashes --no-deps --only-binary :all: -r requirements.lock
COPY . .
# An application is installed from its checkout: the code stays in /app/src, the command lands in .venv/bin.
RUN .venv/bin/pip install --quiet --no-deps --no-build-isolation --editable . \
    && .venv/bin/python -m compileall -q src

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin guildhall \
    && install --directory --owner=guildhall --group=guildhall --mode=0700 /data
COPY --from=built /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GUILDHALL_HOST=0.0.0.0 \
    GUILDHALL_DATA_DIR=/data
USER guildhall
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('GUILDHALL_PORT', '8000')}/healthz\", timeout=2)"]
CMD ["guildhall", "serve"]
