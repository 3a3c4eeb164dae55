#!/bin/sh
# Starts SVD Studio; the first start makes .venv and installs what fits this machine, later ones need no internet.
#   ./launch.sh                        the studio, in the browser
#   ./launch.sh animate picture.jpg    any verb of the command line (./launch.sh --help lists them)
#   ./launch.sh test [--all] [...]     every check; further arguments go to pytest
# To begin afresh, delete the folder .venv.
# No name is a pattern here: PATH and folders may hold any character.
set -fu

uv_version=0.13.8
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0" 2>/dev/null || echo "$0")")" && pwd) || exit 1
venv_python=$root/.venv/bin/python
uv_home=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/svd-studio/uv-$uv_version
install=$root/tools/install.py

unset PYTHONHOME
export PYTHONPATH="$root" PYTHONUTF8=1 HF_HUB_DISABLE_TELEMETRY=1 GRADIO_ANALYTICS_ENABLED=False
# Waiting OpenMP threads that spin make a busy machine some fifteen times slower.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"

# Sets python to the first one on PATH that fits, in our order of liking, else fault to what is wrong with one.
find_python() {
    fault=''
    for name in python3.13 python3.12 python3.11 python3.14 python3 python; do
        old_ifs=$IFS
        IFS=:
        for folder in $PATH; do
            IFS=$old_ifs
            # An activated .venv is no Python to build .venv with.
            if [ "$folder" = "$root/.venv/bin" ] || [ ! -x "$folder/$name" ]; then
                continue
            elif python=$("$folder/$name" -I -X utf8 "$root/tools/fits.py" 2>/dev/null); then
                return 0
            elif [ $? -eq 3 ]; then
                fault=${fault:-$python}
            fi
        done
        IFS=$old_ifs
    done
    return 1
}

fetch_uv() {
    for name in python3 python; do
        "$name" -I -m pip install --quiet --retries 1 --timeout 10 --target "$uv_home" "uv==$uv_version" \
            >/dev/null 2>&1 && [ -x "$uv_home/bin/uv" ] && return 0
    done
    address=https://astral.sh/uv/$uv_version/install.sh
    installer=$({ curl -LsSf --connect-timeout 10 "$address" || wget -qO- --timeout=10 --tries=1 "$address"; } 2>/dev/null) &&
        printf '%s\n' "$installer" | UV_UNMANAGED_INSTALL="$uv_home/bin" sh >&2 && [ -x "$uv_home/bin/uv" ]
}

# Sets python to one that uv keeps in its own folder, touching nothing of the system.
fetch_python() {
    echo "No fitting Python is installed: fetching Python 3.12 with uv $uv_version." >&2
    PATH=$uv_home/bin:$PATH
    command -v uv >/dev/null || fetch_uv || return 1
    UV_PYTHON_INSTALL_BIN=0 uv python install 3.12 >&2 && python=$(uv python find --managed-python 3.12)
}

explain() {
    echo "${fault:-No Python was found, but 3.11, 3.12, 3.13 or 3.14 is needed.}" >&2
    echo "Fetching one did not work either, so install Python 3.12 (Debian, Ubuntu: sudo apt install python3" \
        "python3-venv; macOS: brew install python@3.12; others: python.org/downloads) and start $0 again." >&2
    exit 1
}

with_tests=''
if [ "${1-}" = test ]; then
    with_tests=--tests
    sh "$root/.ci/tools" >&2 || exit
fi

# shellcheck disable=SC2086  # with_tests is one word or none
if ! "$venv_python" -I -S "$install" --check $with_tests 2>/dev/null; then
    find_python || fetch_python || explain
    "$python" -I -X utf8 "$install" $with_tests >&2 || exit
fi

if [ -n "$with_tests" ]; then
    exec "$venv_python" "$root/tools/check.py" "$@"
fi
exec "$venv_python" -P -m svd_studio "$@"
