# Shortlist in containers. `web` runs students in ONNX form and holds no torch; `worker` trains them, with the CPU build
# of torch. Workers must share encoders for that (SHARE_ENCODER=true). scripts/image_size.py tells how large both are.
#   docker build --target web -t shortlist-web .
#   docker build --target worker -t shortlist-worker .
ARG PYTHON_IMAGE=python:3.11-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements.txt requirements-web.txt requirements-build.txt ./
# What builds the project, at the locked versions; it stays in this stage.
RUN python -m venv /opt/shortlist && python -m venv /opt/build && \
    /opt/build/bin/pip install --no-deps -r requirements-build.txt

FROM build AS wheel
COPY pyproject.toml README.md ./
COPY model model
COPY backend backend
RUN /opt/build/bin/python -m hatchling build -t wheel -d /dist

FROM build AS web-packages
RUN /opt/shortlist/bin/pip install --no-deps -r requirements-web.txt
COPY --from=wheel /dist /dist
RUN /opt/shortlist/bin/pip install --no-deps /dist/*.whl

FROM build AS worker-packages
# Where torch comes from: PyTorch's index of CPU builds. For a GPU worker name one of its CUDA indexes; the second line
# then adds NVIDIA's libraries, which the lock does not name.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN /opt/shortlist/bin/pip install --no-deps --extra-index-url "${TORCH_INDEX}" -r requirements.txt && \
    /opt/shortlist/bin/pip install --extra-index-url "${TORCH_INDEX}" "$(grep '^torch==' requirements.txt)"
COPY --from=wheel /dist /dist
RUN /opt/shortlist/bin/pip install --no-deps /dist/*.whl

FROM ${PYTHON_IMAGE} AS base
RUN useradd --create-home --uid 10001 shortlist && install -d -o shortlist -g shortlist -m 700 /data
# TOKENIZERS_PARALLELISM is no secret.
# hadolint ignore=DL3064
ENV PATH=/opt/shortlist/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TOKENIZERS_PARALLELISM=false \
    OMP_NUM_THREADS=1 DATA_DIR=/data
USER 10001:10001
WORKDIR /home/shortlist
VOLUME /data

FROM base AS worker
COPY --from=worker-packages /opt/shortlist /opt/shortlist
CMD ["shortlist", "worker"]

FROM base AS web
COPY --from=web-packages /opt/shortlist /opt/shortlist
ENV HOST=0.0.0.0 PORT=9090
EXPOSE 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=2)"]
CMD ["shortlist", "serve"]
