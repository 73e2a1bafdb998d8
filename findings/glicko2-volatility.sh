#!/bin/sh
# glicko2 2.1.0: the volatility is computed with the square of the rating where the paper has that of the deviation.
#
# Seen: step 5 of Glicko-2 (M. Glickman, Example of the Glicko-2 system, 2022) solves f(x) = 0 with
# f(x) = e^x (D^2 - phi^2 - v - e^x) / (2 (phi^2 + v + e^x)^2) - (x - a) / tau^2, phi being the deviation. `_f` of the
# library takes the rating mu instead. The example of the paper hides it, since its player has the rating 1500, which is
# mu = 0; its tests are that example. The same results around another rating must leave the same volatility, as ratings
# are a scale without a zero; the library gives another for each.
# Exits 0 while the library does so, and 1 when it no longer does.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "glicko2==2.1.0"
cd "$folder"
"$folder/venv/bin/python" - <<'P'
import sys

from glicko2 import Player

found = {}
for shift in (0, 500, 1500):
    player = Player(rating=1500 + shift, rd=50)
    # ten losses against players who are much weaker: the volatility rises
    player.update_player([1100 + shift] * 10, [50] * 10, [0] * 10)
    found[1500 + shift] = player.vol
    print(f"rating {1500 + shift}: volatility {player.vol:.6f}")
sys.exit(0 if max(found.values()) - min(found.values()) > 1e-4 else 1)
P
