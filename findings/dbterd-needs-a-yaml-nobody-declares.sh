#!/bin/sh
# dbterd 1.32.0 with artifact-parser 1.0.1: in an environment of its own it does not start, since it imports PyYAML, which
# neither of the two declares. Beside dbt, which declares it, nobody notices; in a container or a CI job that holds dbterd
# alone for drawing diagrams from a manifest, PyYAML has to be named too.
#
# Seen: `dbterd --version` ends with ModuleNotFoundError: No module named 'yaml'; with PyYAML installed it prints its version.
# Exits 0 while dbterd does so, and 1 when it no longer does.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "dbterd==1.32.0" "artifact-parser==1.0.1"
alone=$("$folder/venv/bin/dbterd" --version 2>&1 | tail -n 1) || true
"$folder/venv/bin/pip" install --quiet "pyyaml==6.0.3"
beside=$("$folder/venv/bin/dbterd" --version 2>&1 | tail -n 1) || true
echo "dbterd 1.32.0"
echo "alone:       $alone"
echo "with PyYAML: $beside"
[ "$alone" = "ModuleNotFoundError: No module named 'yaml'" ]
case $beside in *1.32.0*) ;; *) exit 1 ;; esac
