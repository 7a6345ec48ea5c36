-- +goose Up
-- What lies in collections, collections too: all that lists, moves, the trash
-- and searches need. The particulars of each kind are in tables of their own.
CREATE TABLE item (
  no                INTEGER PRIMARY KEY AUTOINCREMENT,
  kind              TEXT NOT NULL, -- collection, card, dashboard, snippet, timeline
  id                BIGINT NOT NULL, -- within the kind
  model             TEXT NOT NULL, -- what lists call it: card, dataset, metric, dashboard, …
  rank              BIGINT NOT NULL, -- the place of the model in lists
  name              TEXT NOT NULL,
  name_key          TEXT NOT NULL, -- lower(name)
  description       TEXT,
  entity_id         TEXT NOT NULL UNIQUE,
  collection_id     BIGINT, -- 0 is the root; null is in no list: personal collections and the Trash
  dashboard_id      BIGINT NOT NULL DEFAULT 0, -- of a question that lives in a dashboard
  namespace         TEXT NOT NULL DEFAULT '',
  position          BIGINT, -- among the pinned
  archived          BOOLEAN NOT NULL DEFAULT FALSE,
  archived_directly BOOLEAN NOT NULL DEFAULT FALSE,
  archive_operation TEXT, -- of a collection: what was archived together
  creator_id        BIGINT REFERENCES users (id),
  created_at        BIGINT NOT NULL,
  updated_at        BIGINT NOT NULL,
  edited_by         BIGINT REFERENCES users (id),
  edited_key        TEXT NOT NULL DEFAULT '', -- lower(name of who edited), for the order
  edited_at         BIGINT NOT NULL DEFAULT 0,
  used_at           BIGINT,
  view_count        BIGINT NOT NULL DEFAULT 0,
  UNIQUE (kind, id)
);
-- Each order of a list has an index; what lists filter by stands in it.
CREATE INDEX item_by_name ON item (collection_id, archived, dashboard_id, name_key, no, kind, model, position, namespace);
CREATE INDEX item_by_edit ON item (collection_id, archived, dashboard_id, edited_at, name_key, no, kind, model, position, namespace);
CREATE INDEX item_by_model ON item (collection_id, archived, dashboard_id, rank, name_key, no, kind, model, position, namespace);
CREATE INDEX item_by_editor ON item (collection_id, archived, dashboard_id, edited_key, name_key, no, kind, model, position, namespace);
CREATE INDEX item_in_trash ON item (archived_directly, name_key, no) WHERE archived_directly;
CREATE INDEX item_of_dashboard ON item (dashboard_id) WHERE dashboard_id <> 0;
CREATE INDEX item_by_kind ON item (kind, archived, name_key, id);

CREATE TABLE item_sequence (
  kind TEXT PRIMARY KEY,
  last BIGINT NOT NULL -- ids are never used again
);
INSERT INTO item_sequence (kind, last) VALUES ('collection', 1), ('card', 0), ('dashboard', 0), ('snippet', 0), ('timeline', 0);

CREATE TABLE collection (
  id             BIGINT PRIMARY KEY,
  item           BIGINT NOT NULL UNIQUE REFERENCES item (no) ON DELETE CASCADE,
  path           TEXT NOT NULL, -- '/' or '/4/12/': the collections that it lies in
  slug           TEXT NOT NULL,
  type           TEXT, -- trash
  personal_owner BIGINT UNIQUE REFERENCES users (id),
  grants         TEXT NOT NULL DEFAULT '' -- '1r 5c': group and level
);
CREATE INDEX collection_by_path ON collection (path);

CREATE TABLE collection_root (
  namespace TEXT PRIMARY KEY,
  grants    TEXT NOT NULL DEFAULT '',
  revision  BIGINT NOT NULL DEFAULT 0 -- of the namespace's permission graph
);
-- All Users curate the root of a new instance, as with Metabase.
INSERT INTO collection_root (namespace, grants) VALUES ('', '1c'), ('snippets', '1c');

INSERT INTO item (kind, id, model, rank, name, name_key, entity_id, collection_id, created_at, updated_at)
  VALUES ('collection', 1, 'collection', 7, 'Trash', 'trash', 'trashtrashtrashtrasht', NULL, 0, 0);
INSERT INTO collection (id, item, path, slug, type) SELECT 1, no, '/', 'trash', 'trash' FROM item WHERE kind = 'collection' AND id = 1;
