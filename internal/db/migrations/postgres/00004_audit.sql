-- +goose Up

-- The noun of an action: session for session.create.
ALTER TABLE audit ADD COLUMN area TEXT COLLATE "C"
  GENERATED ALWAYS AS (split_part(action, '.', 1)) STORED;

-- Each way to choose entries has an index in the order of their ids. Names may
-- be too long for an index of PostgreSQL: searches read the table.
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_actor_kind ON audit (actor_kind, id);
CREATE INDEX audit_by_key ON audit (actor_key, id);
CREATE INDEX audit_by_action ON audit (action, id);
CREATE INDEX audit_by_area ON audit (area, id);
CREATE INDEX audit_by_object_kind ON audit (object_kind, id);

-- What retention removed: the chain goes on from there. It has one row or none.
CREATE TABLE audit_anchor (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  id      BIGINT NOT NULL, -- of the last entry that was removed
  hash    BYTEA NOT NULL,  -- its hash
  at      BIGINT NOT NULL, -- when that was
  removed BIGINT NOT NULL  -- how many entries in all
);
