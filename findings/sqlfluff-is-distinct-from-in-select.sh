#!/bin/sh
# sqlfluff 4.5.0, dialect postgres: a column that is `a is distinct from b` cannot be parsed, unless it stands in brackets.
#
# Seen: `select price is distinct from cost as c from days` is reported as unparsable from "is distinct" on, and so is the
# form with "not"; in brackets, or in a where clause, the same comparison is parsed. Postgres takes all of them. The
# from of the operator seems to end the select list. A statement that cannot be parsed is not linted, and its layout rules
# then report places that have nothing wrong with them.
# Exits 0 while sqlfluff does so, and 1 when it no longer does.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "sqlfluff==4.5.0"
cd "$folder"

said() {
    printf '%s\n' "$1" > query.sql
    if "$folder/venv/bin/sqlfluff" parse --dialect postgres query.sql 2>/dev/null | grep -q unparsable; then
        echo unparsable
    else
        echo parsed
    fi
}

echo "sqlfluff 4.5.0, dialect postgres"
bare=$(said "select price is distinct from cost as c from days")
echo "a column:              $bare"
negated=$(said "select price is not distinct from cost as c from days")
echo "a column, negated:     $negated"
bracketed=$(said "select (price is distinct from cost) as c from days")
echo "a column in brackets:  $bracketed"
condition=$(said "select price from days where price is distinct from cost")
echo "a condition:           $condition"
[ "$bare $negated" = "unparsable unparsable" ]
[ "$bracketed $condition" = "parsed parsed" ]
