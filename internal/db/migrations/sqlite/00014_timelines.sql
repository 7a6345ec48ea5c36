-- +goose Up
-- Timelines; the rest of each is its item.
CREATE TABLE timeline (
  id         BIGINT PRIMARY KEY,
  item       BIGINT NOT NULL UNIQUE REFERENCES item (no) ON DELETE CASCADE,
  icon       TEXT NOT NULL,
  is_default BOOLEAN NOT NULL DEFAULT FALSE
);

-- What happened, and when.
CREATE TABLE timeline_event (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  timeline_id  BIGINT NOT NULL REFERENCES timeline (id) ON DELETE CASCADE,
  name         TEXT NOT NULL,
  description  TEXT,
  at           BIGINT NOT NULL,
  time_matters BOOLEAN NOT NULL,
  timezone     TEXT NOT NULL,
  icon         TEXT NOT NULL,
  archived     BOOLEAN NOT NULL DEFAULT FALSE,
  creator_id   BIGINT REFERENCES users (id),
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL
);
CREATE INDEX timeline_event_by_time ON timeline_event (timeline_id, at, id);
