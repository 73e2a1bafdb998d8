-- Ratings of players of Arma 3 by the results of their sides, computed anew from all games. Run by 0034_ratings.py.

create schema derived_arma3;

create table derived_arma3.ratings (
    player_hash text not null,              -- MD5 of the key that the models give a player, so that no name stands here
    played_on date not null,
    rating double precision not null,
    deviation double precision not null,
    games integer not null,
    wins integer not null,
    games_digest text not null,             -- of the games that all rows were computed from, and of the formula
    _load_id uuid not null,
    _loaded_at timestamptz not null default now(),
    primary key (player_hash, played_on)
);
