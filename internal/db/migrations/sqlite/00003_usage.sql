-- +goose Up
-- What keys did. Key and secret ids have no foreign key: the evidence outlives
-- what it is about. Hours are their first microsecond, UTC.
CREATE TABLE usage_route (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  route TEXT NOT NULL UNIQUE -- "GET /api/user/{id}"; '' is no such route
);

CREATE TABLE usage_hour (
  key_id    BIGINT NOT NULL,
  hour      BIGINT NOT NULL,
  secret_id BIGINT NOT NULL,
  route_id  BIGINT NOT NULL,
  class     BIGINT NOT NULL, -- 2 to 5 for 2xx to 5xx, 1 for turned away at the door
  n         BIGINT NOT NULL,
  last_at   BIGINT NOT NULL,
  PRIMARY KEY (key_id, hour, secret_id, route_id, class)
) WITHOUT ROWID;
CREATE INDEX usage_hour_by_hour ON usage_hour (hour);

CREATE TABLE usage_last (
  key_id    BIGINT NOT NULL,
  secret_id BIGINT NOT NULL,
  at        BIGINT NOT NULL,
  addr      TEXT NOT NULL,
  agent     TEXT NOT NULL,
  route_id  BIGINT NOT NULL,
  PRIMARY KEY (key_id, secret_id)
) WITHOUT ROWID;

CREATE TABLE usage_refusal (
  key_id    BIGINT NOT NULL,
  hour      BIGINT NOT NULL,
  secret_id BIGINT NOT NULL,
  reason    TEXT NOT NULL,
  n         BIGINT NOT NULL,
  last_at   BIGINT NOT NULL,
  PRIMARY KEY (key_id, hour, secret_id, reason)
) WITHOUT ROWID;
CREATE INDEX usage_refusal_by_hour ON usage_refusal (hour);

CREATE TABLE usage_trial (
  key_id   BIGINT NOT NULL,
  hour     BIGINT NOT NULL,
  reason   TEXT NOT NULL,
  route_id BIGINT NOT NULL,
  n        BIGINT NOT NULL,
  last_at  BIGINT NOT NULL,
  PRIMARY KEY (key_id, hour, reason, route_id)
) WITHOUT ROWID;
CREATE INDEX usage_trial_by_hour ON usage_trial (hour);

-- Resources touched, fields written and addresses seen, of each key and kind a
-- bounded number; usage_rest holds how many there are and what found no room.
CREATE TABLE usage_seen (
  key_id   BIGINT NOT NULL,
  what     TEXT NOT NULL, -- ref, field, address
  kind     TEXT NOT NULL, -- a resource kind; of addresses: served or failed
  name     TEXT NOT NULL, -- an id, a field, an address
  n        BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at  BIGINT NOT NULL,
  PRIMARY KEY (key_id, what, kind, name)
) WITHOUT ROWID;

CREATE TABLE usage_rest (
  key_id   BIGINT NOT NULL,
  what     TEXT NOT NULL,
  kind     TEXT NOT NULL,
  held     BIGINT NOT NULL, -- rows of usage_seen
  n        BIGINT NOT NULL, -- uses of names that found no room
  first_at BIGINT NOT NULL, -- 0 while n is 0
  last_at  BIGINT NOT NULL,
  PRIMARY KEY (key_id, what, kind)
) WITHOUT ROWID;

CREATE TABLE usage_sample (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  key_id     BIGINT NOT NULL,
  secret_id  BIGINT NOT NULL,
  at         BIGINT NOT NULL,
  route_id   BIGINT NOT NULL,
  status     BIGINT NOT NULL,
  took       BIGINT NOT NULL, -- microseconds
  addr       TEXT NOT NULL,
  agent      TEXT NOT NULL,
  request_id TEXT NOT NULL,
  refusal    TEXT NOT NULL,
  trial      TEXT NOT NULL
);
CREATE INDEX usage_sample_by_key ON usage_sample (key_id, id);

-- Requests that left no row in usage_sample, by why.
CREATE TABLE usage_dropped (
  why TEXT PRIMARY KEY,
  n   BIGINT NOT NULL
);

-- The last batch that each node wrote, so that none is written twice.
CREATE TABLE usage_flush (
  node TEXT PRIMARY KEY,
  seq  BIGINT NOT NULL,
  at   BIGINT NOT NULL
);
