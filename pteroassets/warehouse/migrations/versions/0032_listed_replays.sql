-- Whether the site's list named a replay when it was read last. Run by 0032_listed_replays.py.

alter table raw_arma3.replays add column is_listed boolean not null default false;
-- the line of one that was only asked for says nothing but its number; the next reading of the list puts it right
update raw_arma3.replays set is_listed = source <> 'wog' or coalesce(listed ->> 'mission', listed ->> 'players') is not null;
