-- +goose Up
-- What each change left of a question or a dashboard.
CREATE TABLE revision (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  item         BIGINT NOT NULL REFERENCES item (no) ON DELETE CASCADE,
  object       TEXT NOT NULL, -- the state, as JSON
  user_id      BIGINT REFERENCES users (id),
  message      TEXT,
  is_creation  BOOLEAN NOT NULL DEFAULT FALSE,
  is_reversion BOOLEAN NOT NULL DEFAULT FALSE,
  made_at      BIGINT NOT NULL
);
CREATE INDEX revision_of_item ON revision (item, id);
