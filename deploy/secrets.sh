#!/bin/sh
# Draws what docker-compose.yml wants to have secret into .env beside it; what stands there already is left alone.
set -eu
cd "$(dirname "$0")/.."
umask 077
touch .env
chmod 600 .env

drawn() {
    od -An -N20 -tx1 /dev/urandom | tr -d ' \n'
}

keep() {
    grep -q "^$1=." .env || printf '%s=%s\n' "$1" "$2" >>.env
}

# A last line without an end must not run into the first new one.
[ -z "$(tail -c 1 .env)" ] || echo >>.env
keep POSTGRES_PASSWORD "$(drawn)"
keep LABEL_STUDIO_USER admin@shortlist.example
keep LABEL_STUDIO_PASSWORD "$(drawn)"
keep LABEL_STUDIO_API_KEY "$(drawn)"
keep BASIC_AUTH_PASS "$(drawn)"
echo "The secrets are in $(pwd)/.env; log in to Label Studio as $(sed -n 's/^LABEL_STUDIO_USER=//p' .env | tail -n 1)"
