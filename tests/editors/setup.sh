#!/usr/bin/env bash
# Installs the editors that run in a terminal, and what checks the clients' code; again only what is missing.
#
#   forky/  Neovim 0.12 and Helix from Debian's next release, with the libraries they need, in a folder of their own.
#           That release still changes: where it can't be had, the tests that need it say that they are skipped.
#   stylua/ the formatter of Lua
#
# Prints what the tests read from the environment. Taken for granted are Debian or a child of it, root for apt-get, and npm.
set -euo pipefail

STYLUA_VERSION=2.5.2

cache=${XDG_CACHE_HOME:-$HOME/.cache}/mistral-lsp-editors
mkdir -p "$cache"

missing=()
for program in tmux vim emacs luacheck patchelf npm; do
    command -v "$program" > /dev/null || missing+=("$program")
done
# Emacs has eglot of its own since 29.
compgen -G "/usr/share/emacs/site-lisp/elpa-src/eglot-*" > /dev/null || missing+=(eglot)
if (( ${#missing[@]} )); then
    packages=("${missing[@]/#emacs/emacs-nox}")
    packages=("${packages[@]/#luacheck/lua-check}")
    packages=("${packages[@]/#eglot/elpa-eglot}")
    echo "setup: apt-get install ${packages[*]}" >&2
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" > "$cache/apt-terminal.log"
fi

if [[ ! -e $cache/stylua/node_modules/@johnnymorganz/stylua ]]; then
    echo "setup: stylua" >&2
    npm install --prefix "$cache/stylua" --no-audit --no-fund --loglevel=error "@johnnymorganz/stylua@$STYLUA_VERSION" >&2
fi

install_forky() {
    local files=$cache/forky/files
    rm -rf "$cache/forky"
    mkdir -p "$files" "$cache/forky"/{lists,archives/partial,bin}
    : > "$cache/forky/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian forky main" \
        > "$cache/forky/sources.list"
    local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$cache/forky/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::Etc::preferencesparts=/dev/null -o "Dir::State::lists=$cache/forky/lists"
        -o "Dir::State::status=$cache/forky/status" -o "Dir::Cache::archives=$cache/forky/archives"
        -o APT::Install-Recommends=false -o Debug::NoLocking=1)
    "${apt[@]}" update && "${apt[@]}" -y --download-only install neovim hx || return 1
    for package in "$cache/forky/archives"/*.deb; do
        dpkg-deb -x "$package" "$files" || return 1
    done
    for program in nvim hx; do
        cp "$files/usr/bin/$program" "$cache/forky/bin/$program.real"
        patchelf --set-interpreter "$files/usr/lib64/ld-linux-x86-64.so.2" \
            --set-rpath "$files/usr/lib/x86_64-linux-gnu" "$cache/forky/bin/$program.real" || return 1
        cat > "$cache/forky/bin/$program" << SCRIPT
#!/bin/sh
export VIMRUNTIME=$files/usr/share/nvim/runtime HELIX_RUNTIME=$files/usr/lib/hx/runtime
export LUA_PATH="$files/usr/share/lua/5.1/?.lua;;" LUA_CPATH="$files/usr/lib/x86_64-linux-gnu/lua/5.1/?.so;;"
exec $cache/forky/bin/$program.real "\$@"
SCRIPT
        chmod +x "$cache/forky/bin/$program"
    done
    rm -rf "$cache/forky/archives" "$cache/forky/lists"
    touch "$cache/forky/installed"
}

if [[ ! -e $cache/forky/installed && $(dpkg --print-architecture) == amd64 ]]; then
    echo "setup: Neovim 0.12 and Helix" >&2
    install_forky > "$cache/forky.log" 2>&1 || echo "setup: WARNING: no Neovim 0.12 and no Helix, see $cache/forky.log" >&2
fi

echo "MISTRAL_LSP_STYLUA=$cache/stylua"
if [[ -e $cache/forky/installed ]]; then
    echo "MISTRAL_LSP_HX=$cache/forky/bin/hx"
    echo "MISTRAL_LSP_NVIM_NEXT=$cache/forky/bin/nvim"
fi
