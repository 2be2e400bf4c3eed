# Shortlist in containers. `web` runs students in ONNX form and holds no torch; `worker` trains them, with the CPU build
# of torch. Workers must share encoders for that (SHARE_ENCODER=true).
#   make images            builds both with docker, podman or buildah, whichever is there, and tells how large they are
#   docker build --target web -t shortlist-web . && docker build --target worker -t shortlist-worker .
# Any base with glibc and a Python from 3.11 to 3.14 will do. pip's settings, for those who have an index of their own:
# --secret id=pip,src=pip.conf
ARG PYTHON_IMAGE=python:3.11-slim-trixie

FROM ${PYTHON_IMAGE} AS build
# As an option: PIP_NO_COMPILE=1 would, of all things, compile.
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    PIP="/opt/build/bin/pip --python /opt/shortlist/bin/python install --no-compile --no-deps"
WORKDIR /src
COPY requirements-build.txt ./
# What builds the project, at the locked versions; it stays in this stage, and so does pip.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python3 -m venv --without-pip /opt/shortlist && python3 -m venv /opt/build && \
    /opt/build/bin/pip install --no-deps -r requirements-build.txt

FROM build AS wheel
COPY pyproject.toml README.md ./
COPY model model
COPY backend backend
RUN /opt/build/bin/python -m hatchling build -t wheel -d /dist

FROM build AS web-packages
COPY requirements-web.txt ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    ${PIP} -r requirements-web.txt
COPY --from=wheel /dist /dist
COPY deploy/trim_packages.sh ./
# Without what no image reads; with bytecode of what every start imports, and of nothing else.
RUN ${PIP} /dist/*.whl && sh trim_packages.sh /opt/shortlist/lib/python3*/site-packages && \
    /opt/shortlist/bin/python -c "import backend.cli, backend.web.app, backend.serving.live.models, gunicorn.app.wsgiapp, \
gunicorn.workers.gthread, onnxruntime, tokenizers, psycopg, label_studio_sdk.label_interface.interface"

FROM build AS worker-packages
# Where torch comes from: PyTorch's index of CPU builds. For a GPU worker name one of its CUDA indexes; the second line
# then adds NVIDIA's libraries, which the lock does not name.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY requirements.txt requirements-torch.txt ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    ${PIP} --extra-index-url ${TORCH_INDEX} -r requirements-torch.txt && ${PIP} -r requirements.txt && \
    ${PIP%--no-deps} --extra-index-url ${TORCH_INDEX} -r requirements-torch.txt
COPY --from=wheel /dist /dist
COPY deploy/trim_packages.sh ./
RUN ${PIP} /dist/*.whl && sh trim_packages.sh /opt/shortlist/lib/python3*/site-packages && \
    /opt/shortlist/bin/python -c "import backend.cli, onnxruntime, onnx, psycopg, sklearn.linear_model, pyarrow.parquet, \
label_studio_sdk.label_interface.interface, importlib; from backend.commands.worker import PRELOADED; \
[importlib.import_module(name) for name in PRELOADED]"

FROM ${PYTHON_IMAGE} AS base
RUN useradd --create-home --uid 10001 shortlist && install -d -o shortlist -g shortlist -m 700 /data
# TOKENIZERS_PARALLELISM is no secret. Downloads of a hub are kept with all other data.
# hadolint ignore=DL3064
ENV PATH=/opt/shortlist/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TOKENIZERS_PARALLELISM=false \
    OMP_NUM_THREADS=1 DATA_DIR=/data HF_HOME=/data/hub
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
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=2)"]
CMD ["shortlist", "serve"]
