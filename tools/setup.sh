# Shared by tools/quickstart, tools/test and .ci/run; sourced, never run.
#
# What must be there is named as Debian 12 packages. dpkg-query says what is missing; only then is
# apt-get touched, so a machine that is set up needs no network. Elsewhere than on Debian the
# packages are somebody else's business and CMake says what it does not find.

unset CDPATH
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

build_packages=(cmake ninja-build gcc libc6-dev pkg-config libuv1-dev libyaml-dev libxxhash-dev libmd-dev
    libssl-dev redis-server)
test_packages=("${build_packages[@]}" libcmocka-dev libhiredis-dev libjansson-dev openssl python3
    python3-jsonschema python3-yaml)

policy=/usr/sbin/policy-rc.d
policy_mark="# temporary, from evalshard's tools/setup.sh"

say() { printf '==> %s\n' "$*"; }

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Prints those of the named packages that are not installed. A server from elsewhere will do.
missing_packages() {
    local package
    for package in "$@"; do
        [ "$package" = redis-server ] && { type -P redis-server || type -P valkey-server; } \
            >/dev/null && continue
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            printf '%s\n' "$package"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Installing redis-server would start a service on port 6379. This file forbids that meanwhile; one
# that is there already is left alone, unless it is ours from a run that was killed.
forbid_services() {
    if [ -e "$policy" ] && ! grep -qsF "$policy_mark" "$policy"; then
        return
    fi
    printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}

allow_services() {
    if grep -qsF "$policy_mark" "$policy"; then
        as_root rm -f "$policy"
    fi
}

quietly() {
    as_root env DEBIAN_FRONTEND=noninteractive "$@" </dev/null >>"$apt_log" 2>&1
}

apt() {
    quietly apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

# need_packages PACKAGE...: installs what is missing of them, or ends the program with the reason.
need_packages() {
    local missing=() installed
    if ! type -P dpkg-query >/dev/null; then
        say "no Debian here: taking for granted that these are installed: $*"
        return
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || type -P sudo >/dev/null ||
        fail "not root, and there is no sudo. As root, run: apt-get install ${missing[*]}"

    say "installing Debian packages: ${missing[*]}"
    apt_log=$(mktemp)
    trap 'allow_services; rm -f "$apt_log"' EXIT
    trap 'exit 130' INT TERM
    forbid_services
    quietly dpkg --configure -a || true # an installation that was interrupted, perhaps by Ctrl-C
    apt update || true # one dead mirror among several is not the end; install decides
    installed=0
    apt install -y --no-install-recommends "${missing[@]}" || installed=$?
    allow_services
    if [ $installed -ne 0 ]; then
        tail -n 4 "$apt_log" >&2
        fail "apt-get could not install: ${missing[*]}. Is there a network, and is Debian 12 main" \
            "among the sources of apt?"
    fi
    rm -f "$apt_log"
    trap - EXIT INT TERM
}

# configure PRESET [OPTION...]: a folder that was moved, or made by another generator, is made anew.
configure() {
    local log
    log=$(mktemp)
    cd "$root" || exit 1
    if cmake --preset "$@" >"$log" 2>&1 || cmake --fresh --preset "$@" >"$log" 2>&1; then
        rm -f "$log"
        return
    fi
    cat "$log" >&2
    rm -f "$log"
    fail "cmake could not configure preset $1"
}

# compile PRESET [TARGET...]: a terminal sees Ninja's progress, a log only what the compiler says.
compile() {
    local targets=() quiet=()
    [ -t 1 ] || quiet=(-- --quiet)
    [ $# -eq 1 ] || targets=(--target "${@:2}")
    cd "$root" || exit 1
    cmake --build --preset "$1" "${targets[@]}" "${quiet[@]}" || fail "building preset $1 failed"
}
