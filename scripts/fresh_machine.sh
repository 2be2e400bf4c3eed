#!/bin/sh
# A Debian machine as it comes, in a folder: debootstrap, the packages that the README names, a user without rights, and
# the README's first command up to the first shortlists. Tells the Python and the seconds. Needs root and debootstrap.
#   sh scripts/fresh_machine.sh bookworm          # Debian 12, Python 3.11
#   sh scripts/fresh_machine.sh trixie            # Debian 13, Python 3.13
#   MACHINES=<folder>      where the roots are kept (a second trial of one is faster); default: ./machines
#   PIP_CONF=<file>        pip's settings for it; folders that these name as file:// or find-links are shown to it
#   WITHOUT_TORCH=1        where torch would be gigabytes: all else is installed, and Label Studio and web server started
#   PORT, LABEL_STUDIO_PORT
set -eu
cd "$(dirname "$0")/.."
release=${1:?name a release of Debian: bookworm or trixie}
store=$(mkdir -p "${MACHINES:-machines}" && cd "${MACHINES:-machines}" && pwd)
root=$store/$release
packages=python3,python3-venv,ca-certificates,make,git

if [ ! -e "$store/$release.ready" ]; then
    echo "$release: making the machine (some minutes, once)"
    rm -rf "$root"
    debootstrap --variant=minbase --include="$packages" "$release" "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$store/$release.log" 2>&1
    touch "$store/$release.ready"
fi
# The network as this machine has it: names, and whom to trust.
cp /etc/resolv.conf /etc/hosts "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
grep -q '^person:' "$root/etc/passwd" || chroot "$root" useradd --create-home person
home=$root/home/person
rm -rf "$home/shortlist" "$home/.cache" "$home/.config"
mkdir -p "$home/shortlist" "$home/.config/pip"
git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- -c | tar -x -C "$home/shortlist"

mounts=""
tidy() {
    # What was started in this root, and nothing else, has it as its root.
    for process in /proc/[0-9]*; do
        if [ "$(readlink "$process/root" 2>/dev/null)" = "$root" ]; then kill -TERM "${process#/proc/}" 2>/dev/null || true; fi
    done
    [ -z "${running:-}" ] || wait "$running" 2>/dev/null || true
    for place in $mounts; do umount --lazy "$place" || true; done
}
trap tidy EXIT
trap 'exit 130' INT TERM
show() {
    mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    mounts="$root$1 $mounts"
}
for place in /proc /dev; do show "$place"; done
if [ -n "${PIP_CONF:-}" ]; then
    cp "$PIP_CONF" "$home/.config/pip/pip.conf"
    for place in $(sed -n 's/^[a-z-]* *= *//p' "$PIP_CONF"); do
        place=${place#file://}
        if [ -d "$place" ]; then show "$place"; fi
    done
fi
chroot "$root" chown -R person:person /home/person

as_person() {
    chroot "$root" su - person -c "cd shortlist && env PORT=${PORT:-9090} LABEL_STUDIO_PORT=${LABEL_STUDIO_PORT:-8080} $1"
}
echo "$release: $(chroot "$root" python3 -V)"
began=$(date +%s)
if [ -n "${WITHOUT_TORCH:-}" ]; then
    as_person "make install-label-studio"
    as_person "sh -c 'python3 -m venv .venv && .venv/bin/pip install -q --no-deps -r requirements.txt -r requirements-build.txt'"
    as_person ".venv/bin/pip install -q --no-deps --no-build-isolation -e ."
    echo "$release: all but torch is installed after $(($(date +%s) - began)) s"
    as_person ".venv/bin/shortlist serve" >"$store/$release-web.log" 2>&1 &
    running=$!
    asks="import urllib.request as r; print(r.urlopen('http://127.0.0.1:${PORT:-9090}/health', timeout=2).status)"
    for _ in $(seq 60); do
        sleep 1
        if python3 -c "$asks" 2>/dev/null; then
            echo "$release: the web server answers after $(($(date +%s) - began)) s"
            exit 0
        fi
    done
    tail -n 20 "$store/$release-web.log" >&2
    exit 1
    exit 0
fi
log=$store/$release-run.log
as_person "make run" >"$log" 2>&1 &
running=$!
until grep -q "Label All Tasks" "$log"; do
    if ! kill -0 "$running" 2>/dev/null; then
        running=""
        tail -n 20 "$log" >&2
        echo "$release: make run ended before the first shortlists" >&2
        exit 1
    fi
    sleep 1
done
echo "$release: first shortlists and login after $(($(date +%s) - began)) s"
