# Two stages: the first installs what requirements.lock pins, checked by hash; the second has no installer and no cache.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# The base image may carry a company's certificates and package index; uv asks for the former only when told.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true
WORKDIR /build
COPY requirements.lock pyproject.toml ./
RUN sed -n '/^uv==/,/[^\\]$/p' requirements.lock >uv.lock \
    && python -m venv /tools && /tools/bin/pip install --no-cache-dir --require-hashes -r uv.lock \
    && /tools/bin/uv pip install --python /tools/bin/python --constraints requirements.lock hatchling \
    && python -m venv --without-pip /app \
    && /tools/bin/uv pip install --python /app/bin/python --compile-bytecode \
        --constraints requirements.lock --requirements pyproject.toml
COPY README.md LICENSE ./
COPY service service
COPY sandbox sandbox
COPY migrations migrations
RUN /tools/bin/uv build --wheel --no-build-isolation --python /tools/bin/python --out-dir dist \
    && /tools/bin/uv pip install --python /app/bin/python --compile-bytecode --no-deps dist/*.whl

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="zenhire-sync" \
      org.opencontainers.image.description="Runs AI voice interviews from ZenHire for an ATS, through a table in its Postgres" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 zenhire && useradd --uid 10001 --gid zenhire --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin zenhire
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=8s --start-period=30s --retries=3 CMD ["zenhire-sync", "healthcheck"]
ENTRYPOINT ["zenhire-sync"]
CMD ["run"]
