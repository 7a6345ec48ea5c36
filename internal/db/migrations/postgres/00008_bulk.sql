-- +goose Up
-- Answers of calls with an Idempotency-Key, for a day.
CREATE TABLE bulk_call (
  owner       TEXT COLLATE "C" NOT NULL, -- key:12 or user:7
  name        TEXT COLLATE "C" NOT NULL, -- the Idempotency-Key
  fingerprint BYTEA NOT NULL,            -- SHA-256 of what the call asks for
  token       TEXT NOT NULL,             -- of the run that may write
  state       TEXT NOT NULL,             -- running, stopped, done, large
  answer      BYTEA,                     -- gzip of JSON: so far, or whole
  lease_until BIGINT NOT NULL,           -- a run that is not heard of until then is dead
  expires_at  BIGINT NOT NULL,
  PRIMARY KEY (owner, name)
);
CREATE INDEX bulk_call_by_end ON bulk_call (expires_at);
