-- Keys that are made and revoked while everything runs. Of the secret there is only a digest.
create table api_keys (
  id text primary key,
  name text not null,
  scopes text[] not null,
  digest bytea not null check (octet_length(digest) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);

-- Browsers that have signed in with a key.
create table sessions (
  digest bytea primary key check (octet_length(digest) = 32),
  key_id text references api_keys,
  proof bytea,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  constraint is_somebodys check ((key_id is null) <> (proof is null))
);

comment on column sessions.digest is 'Of the token in the cookie, which is stored nowhere.';
comment on column sessions.proof is 'Digest of the token with a key of the settings.';
