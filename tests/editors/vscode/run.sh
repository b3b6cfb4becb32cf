#!/usr/bin/env bash
# The end-to-end test of the VS Code client: the real editor in a real browser, driven by real keys.
#
#   run.sh .venv/bin/mistral-lsp                   the scenarios, with the scripted engine
#   run.sh .venv/bin/mistral-lsp driver word       those scenarios that have "word" in their names
#   run.sh .venv/bin/mistral-lsp fresh             from a machine without the server to ghost text
#   run.sh .venv/bin/mistral-lsp latency           what the editor adds to the server's time, key to paint
#   run.sh .venv/bin/mistral-lsp screenshot        the picture in the extension's README, with the embedded model
set -euo pipefail

server=$(realpath "${1:?the mistral-lsp executable to test}")
what=${2:-driver}

source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

npm run --silent --prefix "$extension" package > "$cache/package.log" 2>&1 || { cat "$cache/package.log" >&2; exit 1; }
exec "$node" "$here/$what.mjs" "$server" "${@:3}"
