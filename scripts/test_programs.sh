#!/usr/bin/env bash
# Installs the servers and tools that tests run against, as far as this machine allows; what is missing skips its tests.
# bubblewrap is also what runs the stand-ins of `make example`. Idempotent; called by scripts/setup.sh.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

updated=
# provide NAME PROGRAM PACKAGE...: packages are installed unless the program is there.
provide() {
    local name=$1 program=$2
    shift 2
    if command -v "$program" >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/$program" >/dev/null ||
        [ -x "/usr/sbin/$program" ]; then
        return
    fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        say "setup: no $name on this machine; its tests will be skipped (install it with: apt-get install $*)."
        return
    fi
    say "setup: installing $name for the tests"
    [ -n "$updated" ] || apt-get update -qq || true
    updated=yes
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
        say "setup: $name could not be installed; its tests will be skipped."
}

# Only programs are wanted: nothing is started now or at the next boot.
keep_services_from_starting() {
    [ "$(id -u)" = 0 ] || return 0
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/mooring-tests.conf
}

# provide_server NAME PROGRAM UNIT PACKAGE...: as `provide`, and its service stays off.
provide_server() {
    local name=$1 program=$2 unit=$3
    shift 3
    command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] && return
    provide "$name" "$program" "$@"
    command -v systemctl >/dev/null && systemctl disable --quiet "$unit" 2>/dev/null || true
}

keep_services_from_starting
provide PostgreSQL postgres postgresql
provide bubblewrap bwrap bubblewrap
provide podman podman podman runc netavark aardvark-dns iptables catatonit
provide_server sshd sshd ssh.service openssh-server
provide_server "an image registry" docker-registry docker-registry.service docker-registry
