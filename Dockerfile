# syntax=docker/dockerfile:1

# The example site, for compose.yaml. All packages are wheels or plain files, so no compiler is needed.
# The tags follow Python's security releases. Name a digest as well (python:3.12-slim@sha256:...) if
# nobody but you should decide when the image changes.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/faceauth
RUN python -m venv /opt/venv
COPY requirements.lock ./
RUN /opt/venv/bin/pip install --require-hashes -r requirements.lock

FROM python:3.12-slim
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENV STATIC_ROOT=/srv/faceauth/staticfiles
RUN useradd --system --no-create-home --home-dir /srv/faceauth faceauth
WORKDIR /srv/faceauth
COPY --from=build /opt/venv /opt/venv
COPY . .
# This key is only for collectstatic; no page is served with it.
RUN SECRET_KEY=none python manage.py collectstatic --no-input
USER faceauth
EXPOSE 8000
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8000), 5)"]
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000"]
