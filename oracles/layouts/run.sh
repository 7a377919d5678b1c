#!/usr/bin/env bash
# Runs the packages of packages.txt, each in an environment of its own under the folder that is given, and keeps their numbers.
# A package that cannot be installed here, or whose Python is missing, is left out and keeps the numbers of its last run.
#
#   oracles/layouts/run.sh FOLDER [NAME...]
set -uo pipefail
cd "$(dirname "$0")/../.."
folder=$1; shift
chosen=" $* "
while read -r name version file requirements; do
  case "$name" in ""|\#*) continue;; esac
  if [ "$chosen" != "  " ] && [[ "$chosen" != *" $name "* ]]; then continue; fi
  environment="$folder/$name"
  if [ ! -e "$environment/.complete" ]; then
    "python$version" -m venv "$environment" || { echo "$name is left out: there is no python$version."; continue; }
    plain=${requirements%%--no-deps*}
    alone=${requirements#"$plain"}; alone=${alone#--no-deps}
    # Chainer is built from source, by the setuptools that is pinned for it.
    # shellcheck disable=SC2086
    "$environment/bin/pip" install --quiet $plain &&
      { [ -z "$alone" ] || "$environment/bin/pip" install --quiet --no-deps --no-build-isolation $alone; } &&
      touch "$environment/.complete" || { echo "$name is left out: it cannot be installed."; continue; }
  fi
  JAX_PLATFORMS=cpu DEV=PYTHON TF_CPP_MIN_LOG_LEVEL=3 "$environment/bin/python" -m "oracles.layouts.$file" || exit 1
done < oracles/layouts/packages.txt
