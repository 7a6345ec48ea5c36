-- +goose Up
-- Pieces of SQL that questions share; the rest of each is its item.
CREATE TABLE snippet (
  id      BIGINT PRIMARY KEY,
  item    BIGINT NOT NULL UNIQUE REFERENCES item (no) ON DELETE CASCADE,
  content TEXT NOT NULL
);
-- Queries call a snippet by its name, also one that is in the trash.
CREATE UNIQUE INDEX item_snippet_name ON item (name) WHERE kind = 'snippet';
