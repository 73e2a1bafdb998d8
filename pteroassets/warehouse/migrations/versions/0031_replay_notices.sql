-- One row for each replay of Arma 3 of which it was decided whether to tell. Run by 0031_replay_notices.py.

create table ops.replay_notices (
    replay_key bigint primary key references raw_arma3.replays,
    documents_digest text not null,         -- of the documents that the digest was made of; another one is told anew
    decided_at timestamptz not null,
    told boolean not null,
    reason text,                            -- null: it was told
    text text not null,                     -- the digest in plain words
    check (told = (reason is null))
);
