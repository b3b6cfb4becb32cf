#!/usr/bin/env bash
# The tests of the editors that run in a terminal; those of Neovim once more with the next version, where it can be had.
#
#   run.sh .venv/bin/python [arguments for pytest]
set -euo pipefail

python=${1:?the Python to test with}
shift
here=$(dirname "${BASH_SOURCE[0]}")

found=$(bash "$here/setup.sh")
export ${found?}

"$python" -m pytest tests/editors "$@"
if [[ -n ${MISTRAL_LSP_NVIM_NEXT:-} ]]; then
    MISTRAL_LSP_NVIM=$MISTRAL_LSP_NVIM_NEXT "$python" -m pytest tests/editors -k test_nvim "$@"
fi
