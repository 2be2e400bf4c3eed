#!/bin/sh
# Prints the path of a Python that the locks fit and that can make virtual environments: CPython 3.11 to 3.14; one clear
# line on stderr otherwise. PYTHON=<path> chooses another interpreter. One that uv has fetched counts, too.
version='import sys, sysconfig
sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 14) and not sysconfig.get_config_var("Py_GIL_DISABLED")))'
fits="import venv, ensurepip
$version"
number='import sys; print("%d.%d" % sys.version_info[:2])'

if [ -n "${PYTHON:-}" ]; then
    if "$PYTHON" -c "$version" 2>/dev/null; then
        command -v "$PYTHON"
        exit 0
    fi
    echo "shortlist: PYTHON=$PYTHON is not a Python 3.11 to 3.14; set PYTHON to one that is" >&2
    exit 1
fi
bare=""
for name in python3.11 python3.12 python3.13 python3.14 python3 python; do
    if "$name" -c "$fits" 2>/dev/null; then
        command -v "$name"
        exit 0
    fi
    if [ -z "$bare" ] && "$name" -c "$version" 2>/dev/null; then
        bare=$("$name" -c "$number" 2>/dev/null)
    fi
done
if found=$(uv python find --no-python-downloads '>=3.11,<3.15' 2>/dev/null) && "$found" -c "$fits" 2>/dev/null; then
    echo "$found"
    exit 0
fi
if [ -n "$bare" ]; then
    echo "shortlist: this Python $bare has no venv module; install it (Debian, Ubuntu: apt install python$bare-venv) or name another Python 3.11 to 3.14 with PYTHON=<path>" >&2
elif command -v uv >/dev/null 2>&1; then
    echo "shortlist: there is no Python 3.11 to 3.14; uv can fetch one: uv python install 3.13, then run this again; or name one with PYTHON=<path>" >&2
else
    echo "shortlist: there is no Python 3.11 to 3.14; install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13; elsewhere: pip install uv, then uv python install 3.13) or name one with PYTHON=<path>" >&2
fi
exit 1
