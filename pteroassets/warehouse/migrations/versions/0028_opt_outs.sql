-- Players who are to be forgotten. Run by 0028_opt_outs.py; decision 44 says how the list is used.

-- One row for each name and each UUID of a player who is not to be known, on one server or on all.
create table ops.opt_outs (
    token_hash bytea not null,              -- keyed, of the name in lower case or of the UUID: none can be read here
    server_uuid uuid,                       -- null: on every server
    pseudonym text not null,                -- what stands in its place, as long as it was
    forgotten_at timestamptz not null,
    unique nulls not distinct (token_hash, server_uuid)
);
