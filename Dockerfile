# Shortlist in a container: targets `web` and `worker`. Both hold the same packages: the web process runs students, and
# what loads them needs torch, in its CPU build. scripts/image_size.py tells how large they are.
#   docker build --target web -t shortlist-web .
#   docker build --target worker -t shortlist-worker .
ARG PYTHON_IMAGE=python:3.11-slim-trixie

FROM ${PYTHON_IMAGE} AS build
# Where torch comes from: PyTorch's index of CPU builds. For a GPU worker name one of its CUDA indexes.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/shortlist
WORKDIR /src
COPY requirements.txt requirements-dev.txt ./
RUN /opt/shortlist/bin/pip install --no-deps --extra-index-url "${TORCH_INDEX}" -r requirements.txt
# What builds the project, at the locked versions; it stays in this stage.
RUN python -m venv /opt/build && grep -E '^(hatchling|packaging|pathspec|pluggy|trove-classifiers)==' \
        requirements.txt requirements-dev.txt --no-filename > build.txt && /opt/build/bin/pip install --no-deps -r build.txt
COPY pyproject.toml README.md ./
COPY model model
COPY backend backend
RUN /opt/build/bin/python -m hatchling build -t wheel -d /dist && /opt/shortlist/bin/pip install --no-deps /dist/*.whl

FROM ${PYTHON_IMAGE} AS base
RUN useradd --create-home --uid 10001 shortlist && install -d -o shortlist -g shortlist -m 700 /data
COPY --from=build /opt/shortlist /opt/shortlist
# TOKENIZERS_PARALLELISM is no secret.
# hadolint ignore=DL3064
ENV PATH=/opt/shortlist/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TOKENIZERS_PARALLELISM=false \
    OMP_NUM_THREADS=1 DATA_DIR=/data
USER 10001:10001
WORKDIR /home/shortlist
VOLUME /data

FROM base AS worker
CMD ["shortlist", "worker"]

FROM base AS web
ENV HOST=0.0.0.0 PORT=9090
EXPOSE 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=2)"]
CMD ["shortlist", "serve"]
