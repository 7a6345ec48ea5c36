-- +goose Up
-- What people have marked, and what they looked at or chose last.
CREATE TABLE bookmark (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id    BIGINT NOT NULL REFERENCES users (id),
  item       BIGINT NOT NULL REFERENCES item (no) ON DELETE CASCADE,
  position   BIGINT NOT NULL DEFAULT 0, -- in the person's own order; new ones come first
  created_at BIGINT NOT NULL,
  UNIQUE (user_id, item)
);
CREATE INDEX bookmark_by_item ON bookmark (item);

CREATE TABLE recent (
  user_id BIGINT NOT NULL REFERENCES users (id),
  context TEXT NOT NULL, -- view, selection
  item    BIGINT NOT NULL REFERENCES item (no) ON DELETE CASCADE,
  at      BIGINT NOT NULL,
  PRIMARY KEY (user_id, context, item)
);
CREATE INDEX recent_by_time ON recent (user_id, context, at);
CREATE INDEX recent_by_item ON recent (item);
