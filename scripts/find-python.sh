#!/bin/sh
# Prints the path of a Python 3.11 that can make virtual environments; one clear line on stderr otherwise.
# PYTHON=<path> chooses another interpreter (3.11 or newer; the locked versions are tested with 3.11 only).
if [ -n "${PYTHON:-}" ]; then
    if "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        command -v "$PYTHON"
        exit 0
    fi
    echo "shortlist: PYTHON=$PYTHON is not a Python 3.11 or newer; set PYTHON to one that is" >&2
    exit 1
fi
for name in python3.11 python3 python; do
    if "$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        command -v "$name"
        exit 0
    fi
done
echo "shortlist: Python 3.11 is missing; install it (Debian: apt install python3.11 python3.11-venv; macOS: brew install python@3.11) or name one with PYTHON=<path>" >&2
exit 1
