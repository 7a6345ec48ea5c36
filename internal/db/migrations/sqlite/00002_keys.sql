-- +goose Up
-- A key outlives its secrets: what authenticates moves to a table of its own,
-- and a deleted key stays as a row, so that its history has a name.
CREATE TABLE api_key_secret (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  key_id      BIGINT NOT NULL,
  prefix      TEXT NOT NULL, -- first 7 characters, for display only
  mac         BLOB NOT NULL UNIQUE,
  pepper_id   TEXT NOT NULL,
  foreign_form BOOLEAN NOT NULL DEFAULT FALSE, -- supplied from outside, without our checksum
  created_at  BIGINT NOT NULL,
  created_by  BIGINT REFERENCES users (id),
  retire_at   BIGINT, -- when it ends by itself
  silent_days BIGINT, -- ends after so many days without use
  retired_at  BIGINT,
  tried_at    BIGINT  -- last use after its end that raised an alarm
);
CREATE INDEX api_key_secret_by_key ON api_key_secret (key_id, id);
CREATE INDEX api_key_secret_ending ON api_key_secret (retired_at, retire_at) WHERE retire_at IS NOT NULL OR silent_days IS NOT NULL;
CREATE INDEX api_key_secret_foreign ON api_key_secret (prefix) WHERE foreign_form;
CREATE INDEX api_key_secret_tried ON api_key_secret (tried_at) WHERE tried_at IS NOT NULL;

INSERT INTO api_key_secret (key_id, prefix, mac, pepper_id, created_at, created_by)
  SELECT id, prefix, mac, pepper_id, updated_at, updated_by FROM api_key ORDER BY id;

-- SQLite cannot drop a UNIQUE constraint, so the table is made anew.
CREATE TABLE api_key_new (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  kind            TEXT NOT NULL DEFAULT 'service' CHECK (kind IN ('service', 'personal')),
  user_id         BIGINT NOT NULL REFERENCES users (id), -- the synthetic user, or the person
  name            TEXT NOT NULL,
  name_key        TEXT NOT NULL, -- lower(name)
  prefix          TEXT NOT NULL, -- of the newest secret
  description     TEXT NOT NULL DEFAULT '',
  owner_id        BIGINT REFERENCES users (id),
  successor_id    BIGINT REFERENCES users (id),
  tags            TEXT NOT NULL DEFAULT '[]', -- JSON list, sorted
  chosen_groups   TEXT NOT NULL DEFAULT '[]', -- JSON list: the groups of a personal key
  restriction     TEXT NOT NULL DEFAULT '{}', -- JSON
  trial           TEXT,   -- JSON: a restriction that only reports
  trial_at        BIGINT,
  expires_at      BIGINT,
  expired_at      BIGINT, -- when the end was noticed: it stays ended whatever clocks do
  warned_days     BIGINT, -- the last warning before the end: 30, 7 or 1
  disabled_at     BIGINT,
  disabled_until  BIGINT,
  disabled_reason TEXT NOT NULL DEFAULT '',
  disabled_by     BIGINT REFERENCES users (id),
  review_since    BIGINT, -- its owner is gone and nobody follows
  source          TEXT NOT NULL DEFAULT '', -- seed, bootstrap
  created_by      BIGINT REFERENCES users (id),
  updated_by      BIGINT REFERENCES users (id),
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL,
  deleted_at      BIGINT
);
INSERT INTO api_key_new (id, user_id, name, name_key, prefix, created_by, updated_by, created_at, updated_at)
  SELECT id, user_id, name, name_key, prefix, created_by, updated_by, created_at, updated_at FROM api_key;
-- Ids are never given twice, also not those of keys that are gone.
DELETE FROM sqlite_sequence WHERE name = 'api_key_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'api_key_new', seq FROM sqlite_sequence WHERE name = 'api_key';
DROP TABLE api_key;
ALTER TABLE api_key_new RENAME TO api_key;

CREATE UNIQUE INDEX api_key_service_name ON api_key (name) WHERE kind = 'service' AND deleted_at IS NULL;
CREATE UNIQUE INDEX api_key_personal_name ON api_key (user_id, name) WHERE kind = 'personal' AND deleted_at IS NULL;
CREATE INDEX api_key_by_name ON api_key (name_key, id, prefix, kind) WHERE deleted_at IS NULL; -- searches read nothing else
CREATE INDEX api_key_by_user ON api_key (user_id);
CREATE INDEX api_key_by_owner ON api_key (owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX api_key_by_end ON api_key (expires_at) WHERE expires_at IS NOT NULL AND expired_at IS NULL AND deleted_at IS NULL;
CREATE INDEX api_key_disabled ON api_key (disabled_until) WHERE disabled_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX api_key_deleted ON api_key (id) WHERE deleted_at IS NOT NULL;
CREATE INDEX api_key_review ON api_key (id) WHERE review_since IS NOT NULL AND deleted_at IS NULL;

CREATE TABLE key_policy (
  group_id   BIGINT PRIMARY KEY, -- 0 is the instance
  rules      TEXT NOT NULL, -- JSON
  updated_at BIGINT NOT NULL,
  updated_by BIGINT REFERENCES users (id)
);
