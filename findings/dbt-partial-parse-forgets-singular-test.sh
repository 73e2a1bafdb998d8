#!/bin/sh
# dbt-core 1.11.16: a singular test whose SQL changes loses its description and its config in the next partial parse.
#
# Seen: after `dbt parse`, a comment added to tests/no_row.sql and `dbt parse` again, the manifest holds the test with an
# empty description and an empty meta, although the YAML that gives both is as it was; `--no-partial-parse` brings them
# back. So a tool that reads meta (as dagster-dbt does for the asset that a test over several models is a check of)
# loses the test by an edit of its SQL.
# Exits 0 while dbt does so, and 1 when it no longer does.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "dbt-core==1.11.16" "dbt-postgres==1.11.0"
cd "$folder"
mkdir models tests
cat > dbt_project.yml <<'Y'
name: shown
version: "1.0"
config-version: 2
profile: shown
flags: {send_anonymous_usage_stats: false}
Y
cat > profiles.yml <<'Y'
shown:
  target: none
  outputs:
    none: {type: postgres, host: 127.0.0.1, port: 1, user: nobody, password: "", dbname: none, schema: none}
Y
echo "select 1 as number" > models/one.sql
echo "select * from {{ ref('one') }} where number <> 1" > tests/no_row.sql
cat > tests/tests.yml <<'Y'
data_tests:
  - name: no_row
    description: The number is one.
    config: {meta: {owner: somebody}}
Y

said() {
    "$folder/venv/bin/dbt" --quiet parse --profiles-dir . "$@"
    "$folder/venv/bin/python" -c '
import json
test = json.load(open("target/manifest.json"))["nodes"]["test.shown.no_row"]
print(repr(test["description"]), test["config"]["meta"])'
}

first=$(said)
echo "-- a comment" >> tests/no_row.sql
partly=$(said)
whole=$(said --no-partial-parse)
echo "dbt-core 1.11.16"
echo "first parse:            $first"
echo "SQL of the test edited: $partly"
echo "parsed as a whole:      $whole"
[ "$first" = "'The number is one.' {'owner': 'somebody'}" ]
[ "$partly" = "'' {}" ]
[ "$whole" = "$first" ]
