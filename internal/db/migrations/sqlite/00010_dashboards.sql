-- +goose Up
-- Dashboards: what they have beside the record that all content shares, their
-- tabs, and where which question stands on them. Texts named *_json hold JSON.
CREATE TABLE dashboard (
  id                 BIGINT PRIMARY KEY,
  item               BIGINT NOT NULL UNIQUE REFERENCES item (no) ON DELETE CASCADE,
  parameters_json    TEXT NOT NULL DEFAULT '[]',
  full_width         BOOLEAN NOT NULL DEFAULT FALSE,
  auto_apply         BOOLEAN NOT NULL DEFAULT TRUE,
  cache_ttl          BIGINT,
  caveats            TEXT,
  points_of_interest TEXT,
  getting_started    BOOLEAN NOT NULL DEFAULT FALSE,
  guide_position     BIGINT
);

CREATE TABLE dashboard_tab (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  dashboard_id BIGINT NOT NULL REFERENCES dashboard (id) ON DELETE CASCADE,
  entity_id    TEXT NOT NULL UNIQUE,
  name         TEXT NOT NULL,
  position     BIGINT NOT NULL,
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL
);
CREATE INDEX dashboard_tab_of ON dashboard_tab (dashboard_id, position);

CREATE TABLE dashcard (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  dashboard_id  BIGINT NOT NULL REFERENCES dashboard (id) ON DELETE CASCADE,
  tab_id        BIGINT REFERENCES dashboard_tab (id) ON DELETE CASCADE,
  entity_id     TEXT NOT NULL UNIQUE,
  card_id       BIGINT, -- null: a text, a heading, a link
  card_item     BIGINT REFERENCES item (no) ON DELETE CASCADE, -- of the card
  grid_row      BIGINT NOT NULL,
  grid_col      BIGINT NOT NULL,
  width         BIGINT NOT NULL,
  height        BIGINT NOT NULL,
  mappings_json TEXT NOT NULL DEFAULT '[]',
  settings_json TEXT NOT NULL DEFAULT '{}',
  inline_json   TEXT NOT NULL DEFAULT '[]',
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL
);
CREATE INDEX dashcard_of ON dashcard (dashboard_id, id);
CREATE INDEX dashcard_of_tab ON dashcard (tab_id);
CREATE INDEX dashcard_of_card ON dashcard (card_item);
CREATE INDEX dashcard_of_card_id ON dashcard (card_id);

CREATE TABLE dashcard_series (
  dashcard_id BIGINT NOT NULL REFERENCES dashcard (id) ON DELETE CASCADE,
  position    BIGINT NOT NULL,
  card_id     BIGINT NOT NULL,
  card_item   BIGINT NOT NULL REFERENCES item (no) ON DELETE CASCADE,
  PRIMARY KEY (dashcard_id, position)
);
CREATE INDEX dashcard_series_of_card ON dashcard_series (card_item);
CREATE INDEX dashcard_series_of_card_id ON dashcard_series (card_id);
