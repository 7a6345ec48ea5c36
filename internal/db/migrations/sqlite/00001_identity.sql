-- +goose Up
CREATE TABLE setting (
  key        TEXT PRIMARY KEY,
  value      TEXT NOT NULL, -- JSON
  updated_at BIGINT NOT NULL
);

CREATE TABLE users (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  kind             TEXT NOT NULL CHECK (kind IN ('person', 'api-key')),
  email            TEXT NOT NULL UNIQUE, -- lower case
  first_name       TEXT,
  last_name        TEXT,
  sort_name        TEXT NOT NULL, -- lower(first) 0x01 lower(last)
  sort_last        TEXT NOT NULL, -- lower(last) 0x01 lower(first)
  search_text      TEXT NOT NULL, -- lower(first last 0x01 email)
  password_hash    TEXT,
  active           BOOLEAN NOT NULL DEFAULT TRUE,
  locale           TEXT,
  login_attributes TEXT, -- JSON object
  qbnewb           BOOLEAN NOT NULL DEFAULT TRUE,
  datasetnewb      BOOLEAN NOT NULL DEFAULT TRUE,
  date_joined      BIGINT NOT NULL,
  first_login      BIGINT,
  last_login       BIGINT,
  updated_at       BIGINT NOT NULL,
  deactivated_at   BIGINT,
  reset_hash       BLOB,
  reset_at         BIGINT
);
-- Each list of users has an index in its order; what it filters by comes behind.
-- With search_text there, a search reads the index alone.
CREATE INDEX users_by_name ON users (kind, sort_name, id, active, search_text);
CREATE INDEX users_by_last_name ON users (kind, sort_last, id, active);
CREATE INDEX users_in_order ON users (sort_name, id, active); -- members of large groups

CREATE TABLE permission_group (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  name         TEXT NOT NULL,
  name_key     TEXT NOT NULL UNIQUE, -- lower(name)
  magic        TEXT,
  entity_id    TEXT,
  member_count BIGINT NOT NULL DEFAULT 0, -- active members, kept
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL
);

CREATE TABLE membership (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  group_id BIGINT NOT NULL REFERENCES permission_group (id) ON DELETE CASCADE,
  user_id  BIGINT NOT NULL REFERENCES users (id),
  UNIQUE (group_id, user_id)
);
CREATE INDEX membership_by_user ON membership (user_id, group_id);

CREATE TABLE api_key (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id    BIGINT NOT NULL UNIQUE REFERENCES users (id),
  name       TEXT NOT NULL UNIQUE,
  name_key   TEXT NOT NULL, -- lower(name)
  prefix     TEXT NOT NULL, -- first 7 characters, for display only
  mac        BLOB NOT NULL UNIQUE,
  pepper_id  TEXT NOT NULL,
  created_by BIGINT REFERENCES users (id),
  updated_by BIGINT REFERENCES users (id),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX api_key_by_name ON api_key (name_key, id, prefix); -- searches read nothing else

CREATE TABLE pepper (
  id         TEXT PRIMARY KEY,
  probe      BLOB NOT NULL, -- a MAC of a fixed text: tells a wrong pepper
  created_at BIGINT NOT NULL
);

CREATE TABLE session (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id      BIGINT NOT NULL REFERENCES users (id),
  token_hash   BLOB NOT NULL UNIQUE,
  created_at   BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,
  remote_addr  TEXT NOT NULL,
  user_agent   TEXT NOT NULL
);
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_by_expiry ON session (expires_at);

CREATE TABLE throttle (
  bucket       TEXT PRIMARY KEY,
  attempts     BIGINT NOT NULL,
  window_start BIGINT NOT NULL,
  last_at      BIGINT NOT NULL
);

CREATE TABLE change_log (
  seq  INTEGER PRIMARY KEY AUTOINCREMENT,
  at   BIGINT NOT NULL,
  kind TEXT NOT NULL,
  id   BIGINT NOT NULL
);

CREATE TABLE audit (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  at          BIGINT NOT NULL,
  actor_kind  TEXT NOT NULL,
  actor_id    BIGINT NOT NULL,
  actor_key   BIGINT NOT NULL,
  actor_name  TEXT NOT NULL,
  action      TEXT NOT NULL,
  object_kind TEXT NOT NULL,
  object_id   BIGINT NOT NULL,
  object_name TEXT NOT NULL,
  details     TEXT NOT NULL, -- JSON object, never a secret
  remote_addr TEXT NOT NULL,
  request_id  TEXT NOT NULL,
  hash        BLOB NOT NULL  -- over this row and the hash before it
);
CREATE INDEX audit_by_object ON audit (object_kind, object_id, id);
CREATE INDEX audit_by_actor ON audit (actor_id, id);

INSERT INTO permission_group (id, name, name_key, magic, created_at, updated_at) VALUES
  (1, 'All Users', 'all users', 'all-internal-users', 0, 0),
  (2, 'Administrators', 'administrators', 'admin', 0, 0);
