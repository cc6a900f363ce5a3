#!/usr/bin/env bash
# Makes .venv from the locked requirements. Idempotent; called by `make setup`.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

find_python() {
    local candidate
    for candidate in python3 python3.11 python3.12 python3.13 /usr/bin/python3; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    say "setup: Python 3.11 or newer is needed and was not found on PATH."
    exit 1
}

make_venv() {
    local python=$1
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        # Debian splits venv from Python.
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            say "setup: installing python3-venv"
            apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
        else
            say "setup: $python cannot make virtual environments; install python3-venv first."
            exit 1
        fi
    fi
    "$python" -m venv .venv
}

[ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null || { rm -rf .venv; make_venv "$(find_python)"; }
say "setup: installing pinned dependencies (a minute or so the first time)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt 2> >(grep -v WARNING >&2 || true)
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode \
    requirements/bootstrap.txt requirements/dev.txt
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
bash scripts/test_programs.sh
touch .venv/.ready
say "setup: done; the command is .venv/bin/mooring"
