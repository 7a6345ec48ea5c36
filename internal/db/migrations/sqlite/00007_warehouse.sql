-- +goose Up
-- The customers' databases that are connected, and what is known of their
-- tables. Nothing of what they hold is stored here.
CREATE TABLE warehouse_database (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  name           TEXT NOT NULL,
  engine         TEXT NOT NULL,
  details        BLOB,    -- sealed; null for the sample database, which is found by itself
  is_sample      BOOLEAN NOT NULL DEFAULT FALSE,
  description    TEXT,
  caveats        TEXT,
  points_of_interest TEXT,
  timezone       TEXT NOT NULL DEFAULT 'UTC',
  auto_run       BOOLEAN NOT NULL DEFAULT TRUE,
  settings       TEXT NOT NULL DEFAULT '{}', -- JSON
  flavor         TEXT NOT NULL DEFAULT '',   -- what answered at the last sync
  version        TEXT NOT NULL DEFAULT '',
  synced_at      BIGINT,  -- null until the first sync is over
  entity_id      TEXT NOT NULL UNIQUE,
  creator_id     BIGINT REFERENCES users (id),
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL
);

-- Once the sample database has been connected it is not connected again by
-- itself, also when somebody took it away.
CREATE TABLE warehouse_sample (
  only_one BIGINT PRIMARY KEY CHECK (only_one = 1),
  made_at  BIGINT NOT NULL
);

CREATE TABLE warehouse_table (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  database_id     BIGINT NOT NULL REFERENCES warehouse_database (id) ON DELETE CASCADE,
  schema_name     TEXT NOT NULL,  -- '' where there are none
  name            TEXT NOT NULL,
  display_name    TEXT NOT NULL,
  description     TEXT,
  entity_type     TEXT NOT NULL,
  visibility_type TEXT,           -- hidden, technical, cruft
  is_view         BOOLEAN NOT NULL DEFAULT FALSE,
  active          BOOLEAN NOT NULL DEFAULT TRUE, -- it was there at the last sync
  entity_id       TEXT NOT NULL UNIQUE,
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL,
  UNIQUE (database_id, schema_name, name)
);

CREATE TABLE warehouse_field (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  table_id        BIGINT NOT NULL REFERENCES warehouse_table (id) ON DELETE CASCADE,
  name            TEXT NOT NULL,
  display_name    TEXT NOT NULL,
  description     TEXT,
  native_type     TEXT NOT NULL,
  base_type       TEXT NOT NULL,
  semantic_type   TEXT,
  visibility_type TEXT NOT NULL DEFAULT 'normal',
  target_id       BIGINT REFERENCES warehouse_field (id) ON DELETE SET NULL, -- of a foreign key
  position        BIGINT NOT NULL,
  required        BOOLEAN NOT NULL DEFAULT FALSE,
  active          BOOLEAN NOT NULL DEFAULT TRUE,
  entity_id       TEXT NOT NULL UNIQUE,
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL,
  UNIQUE (table_id, name)
);
CREATE INDEX warehouse_field_by_target ON warehouse_field (target_id);
