-- +goose Up
-- Questions, models and metrics: what they have beside their item.
CREATE TABLE card (
  id               BIGINT PRIMARY KEY,
  item             BIGINT NOT NULL UNIQUE REFERENCES item (no) ON DELETE CASCADE,
  display          TEXT COLLATE "C" NOT NULL,
  query            TEXT COLLATE "C" NOT NULL, -- MBQL 5
  query_type       TEXT COLLATE "C" NOT NULL, -- native, query
  database_id      BIGINT,
  table_id         BIGINT,
  source_card_id   BIGINT, -- whose result it reads
  settings         TEXT COLLATE "C" NOT NULL, -- of the visualization
  parameters       TEXT COLLATE "C" NOT NULL,
  mappings         TEXT COLLATE "C" NOT NULL,
  metadata         TEXT COLLATE "C", -- of the columns of the result
  cache_ttl        BIGINT,
  preview          BOOLEAN NOT NULL,
  parameterized    BOOLEAN NOT NULL -- it runs without values
);
CREATE INDEX card_by_database ON card (database_id);
CREATE INDEX card_by_table ON card (table_id) WHERE table_id IS NOT NULL;

-- Which cards the query of a card refers to.
CREATE TABLE card_reference (
  card   BIGINT NOT NULL REFERENCES card (id) ON DELETE CASCADE,
  refers BIGINT NOT NULL,
  PRIMARY KEY (card, refers)
);
CREATE INDEX card_referred ON card_reference (refers);
