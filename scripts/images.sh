#!/bin/sh
# Builds the images shortlist-web and shortlist-worker with docker, podman or buildah, and tells how large they are.
#   ENGINE=buildah           one of the three; otherwise the first that works
#   PYTHON_IMAGE=<image>     the base: glibc and a Python from 3.11 to 3.14
#   TORCH_INDEX=<url>        where the worker's torch comes from (a CUDA index for a GPU)
#   PIP_CONF=<file>          pip's settings while the images are built; they stay out of the images
#   IMAGE_OPTIONS="…"        more options for the build, for example a volume with wheels
# buildah without rights of its own (inside a container): BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
set -eu
cd "$(dirname "$0")/.."

works() {
    case "$1" in
        buildah) buildah images >/dev/null 2>&1 ;;
        *) "$1" info >/dev/null 2>&1 ;;
    esac
}

engine=""
for one in ${ENGINE:-docker podman buildah}; do
    if command -v "$one" >/dev/null && works "$one"; then
        engine=$one
        break
    fi
done
if [ -z "$engine" ]; then
    echo "shortlist: images need docker, podman or buildah, and ${ENGINE:-none of them} works here; install one (Debian: apt install buildah)" >&2
    exit 1
fi
build="build"
[ "$engine" = buildah ] && build="bud --format docker --layers"
set --
[ -n "${PYTHON_IMAGE:-}" ] && set -- "$@" --build-arg "PYTHON_IMAGE=$PYTHON_IMAGE"
[ -n "${TORCH_INDEX:-}" ] && set -- "$@" --build-arg "TORCH_INDEX=$TORCH_INDEX"
[ -n "${PIP_CONF:-}" ] && set -- "$@" --secret "id=pip,src=$PIP_CONF"
for target in ${IMAGES:-web worker}; do
    echo "Building shortlist-$target with $engine"
    # Words on purpose: a verb with options, and options that the caller gives.
    # shellcheck disable=SC2086
    "$engine" $build --target "$target" -t "shortlist-$target" "$@" ${IMAGE_OPTIONS:-} .
done
for target in ${IMAGES:-web worker}; do
    case "$engine" in
        buildah) size=$(buildah images --format '{{.Size}}' "localhost/shortlist-$target") ;;
        *) size="$(($("$engine" image inspect --format '{{.Size}}' "shortlist-$target") / 1000000)) MB" ;;
    esac
    echo "shortlist-$target: $size"
done
