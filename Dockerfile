# The host, and with another command the shared studio or a worker of its farm. See agent/serve/OPERATING.md.
FROM python:3.12-slim AS build
WORKDIR /src
# Everything that the lock file names, checked against its hashes; of that the next step takes what it needs.
COPY requirements.lock ./
RUN pip download --no-cache-dir -q --only-binary :all: --require-hashes -r requirements.lock -d /wheels
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY prompts prompts
COPY router router
COPY agent agent
COPY studio studio
COPY evals evals
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -q --no-index --find-links /wheels ".[cluster,farm]"

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /data reelchat && install -d -o reelchat -g reelchat /data
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH REELCHAT_HOME=/data LANG=C.UTF-8 PYTHONUNBUFFERED=1
USER reelchat
WORKDIR /data
VOLUME /data
EXPOSE 8765
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8765/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["reelchat"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8765", "--log-format", "json"]
