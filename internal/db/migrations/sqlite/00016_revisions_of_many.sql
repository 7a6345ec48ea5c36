-- +goose Up
-- A change of many items at once gives each a revision: the object of the one
-- before, with these fields in place of its own.
ALTER TABLE revision ADD COLUMN archived BOOLEAN;             -- null: that of the object
ALTER TABLE revision ADD COLUMN collection_id BIGINT;         -- null: that of the object
ALTER TABLE revision ADD COLUMN unpinned BOOLEAN NOT NULL DEFAULT FALSE;
