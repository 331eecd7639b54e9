#!/usr/bin/env bash
# Installs what a part of the work needs, and only what is missing. Says what it installs.
#
#   .ci/tools.sh build     a C compiler and pkg-config; Rust must be there
#   .ci/tools.sh lint      the same, with rustfmt and clippy
#   .ci/tools.sh test      the test peers: notary, notary-server, notary-signer, PostgreSQL, docker-registry, skopeo,
#                          `docker trust`, and small tools
#   .ci/tools.sh fuzz      cargo-fuzz
#
# Packages are installed on Debian and its children. Elsewhere their names are printed and nothing is touched.
set -euo pipefail
cd "$(dirname "$0")/.."

peer_bin="$PWD/target/peers/bin" # where tests/it/peers looks besides PATH

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    elif have sudo && [ -t 0 ]; then
        sudo "$@"
    elif have sudo; then
        say "This needs root, and sudo wants a password, which nobody can type here. Run as root: $*"
        return 1
    else
        say "This needs root, and there is no sudo here. Run as root: $*"
        return 1
    fi
}

updated=no
apt_update() {
    [ "$updated" = yes ] && return
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 -qq update
    updated=yes
}

apt_install() {
    say "Installing Debian packages: $*"
    apt_update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
        install -y -qq --no-install-recommends "$@" >&2 </dev/null
}

# not_debian WHAT FEDORA ARCH MACOS: names the packages and stops.
not_debian() {
    say "$1 is missing. Packages that have it:"
    say "  Fedora   $2"
    say "  Arch     $3"
    say "  macOS    $4"
    say "Nothing was installed. Run this again when they are there."
    exit 1
}

need_cargo() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    if ! have cargo || ! have rustc; then
        say "Rust is missing ($wanted or newer). https://rustup.rs installs it; then run this again."
        exit 1
    fi
    found=$(rustc --version | cut -d' ' -f2 | cut -d- -f1)
    [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] && return
    say "Rust is too old: $found, where $wanted or newer is needed. \`rustup update\` brings it; a Rust that did not come"
    say "from rustup is replaced by one from https://rustup.rs. Then run this again."
    exit 1
}

# What rustup leaves out in its minimal profile, and Debian packs apart.
need_lint() {
    local missing=()
    cargo fmt --version >/dev/null 2>&1 || missing+=(rustfmt)
    cargo clippy --version >/dev/null 2>&1 || missing+=(clippy)
    [ ${#missing[@]} = 0 ] && return
    if have rustup; then
        say "Installing parts of Rust with rustup: ${missing[*]}"
        rustup component add "${missing[@]}"
        return
    fi
    say "Parts of Rust are missing: ${missing[*]}. Install them as this Rust was installed; with rustup it is"
    say "  rustup component add ${missing[*]}"
    exit 1
}

build() {
    need_cargo
    local missing=()
    have cc || missing+=(gcc libc6-dev)
    have pkg-config || missing+=(pkg-config)
    [ ${#missing[@]} = 0 ] && return
    have apt-get || not_debian "A C compiler or pkg-config" "dnf install gcc pkgconf-pkg-config" "pacman -S gcc pkgconf" \
        "xcode-select --install && brew install pkgconf"
    apt_install "${missing[@]}"
}

# The server and psql, where tests/it/peers looks for them.
have_postgresql() {
    local initdb
    for initdb in /usr/lib/postgresql/*/bin/initdb "$(command -v initdb || true)"; do
        if [ -x "$initdb" ] && [ -x "$(dirname "$initdb")/psql" ]; then return 0; fi
    done
    return 1
}

# The programs alone: Debian's package would make a database cluster for the whole machine and start it at every boot.
# What keeps it from that is there for the time of the installation only.
install_postgresql() {
    local kept=/etc/postgresql-common/createcluster.d/claviger-tests.conf status=0
    as_root install -d -m 0755 /etc/postgresql-common/createcluster.d
    echo "create_main_cluster = false" | as_root tee "$kept" >/dev/null
    apt_install postgresql || status=$?
    as_root rm -f "$kept"
    return "$status"
}

# A docker client that knows `trust` (from 29 on it is a plugin that may not be there).
docker_trusts() {
    local docker
    for docker in $(type -ap docker || true) "$peer_bin/docker"; do
        if "$docker" trust inspect --help >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

# The client alone, unpacked into target/: the tests need no engine, and so no daemon is installed or started.
unpack_docker() {
    local package=docker.io from
    apt_update
    if apt-cache show docker-cli >/dev/null 2>&1; then package=docker-cli; fi
    say "Unpacking the client of the Debian package $package into target/peers (no engine is installed)"
    from=$(mktemp -d)
    # Removed however this ends; apt says itself what is wrong.
    # shellcheck disable=SC2064
    trap "rm -rf '$from'" EXIT
    chmod 0755 "$from"
    (cd "$from" && apt-get -o Acquire::Retries=3 -o APT::Sandbox::User=root -qq download "$package" >&2 && dpkg-deb -x ./*.deb tree)
    mkdir -p "$peer_bin"
    install -m 0755 "$from/tree/usr/bin/docker" "$peer_bin/docker"
    if docker_trusts; then return; fi
    say "The docker client of $package has no \`trust\` here. The tests that need it will fail."
    return 1
}

peers() {
    build
    local missing=() tool
    for tool in notary notary-server notary-signer; do have "$tool" || missing+=(notary); done
    for tool in docker-registry skopeo openssl; do have "$tool" || missing+=("$tool"); done
    have strace || missing+=(strace)
    have setpriv || missing+=(util-linux)
    have man || missing+=(man-db)
    [ -x /usr/bin/time ] || missing+=(time) # the benchmarks read peak memory from it
    if [ ${#missing[@]} != 0 ]; then
        have apt-get || not_debian "A test peer (${missing[*]})" \
            "dnf install golang openssl skopeo strace util-linux time man-db docker-cli; notary 0.7 and docker-registry 2.8 from source" \
            "pacman -S notary openssl skopeo strace util-linux time man-db docker; docker-registry 2.8 from source" \
            "none: the tests run on Linux only"
        mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
        apt_install "${missing[@]}"
    fi
    if ! have_postgresql; then
        have apt-get || not_debian "PostgreSQL" "dnf install postgresql-server" "pacman -S postgresql" "none: the tests run on Linux only"
        install_postgresql
    fi
    if ! docker_trusts; then
        have apt-get || not_debian "A docker client with \`trust\`" "dnf install docker-cli" "pacman -S docker" "none: the tests run on Linux only"
        unpack_docker
    fi
}

fuzz() {
    build
    have cargo-fuzz && return
    have c++ || { have apt-get && apt_install g++; } || not_debian "A C++ compiler" "dnf install gcc-c++" "pacman -S gcc" "xcode-select --install"
    say "Installing cargo-fuzz with cargo"
    cargo install --locked cargo-fuzz
}

case "${1:-}" in
build) build ;;
lint)
    build
    need_lint
    ;;
test) peers ;;
fuzz) fuzz ;;
*)
    say "usage: .ci/tools.sh build|lint|test|fuzz"
    exit 2
    ;;
esac
