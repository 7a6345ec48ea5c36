-- +goose Up
-- What seed files made: only that is ever changed or removed by one.
CREATE TABLE seed_item (
  kind TEXT NOT NULL,   -- group, person, policy, key; bootstrap for the key of the first start
  name TEXT NOT NULL,   -- as the file names it
  id   BIGINT NOT NULL, -- of the thing, whatever it is called now
  at   BIGINT NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;
