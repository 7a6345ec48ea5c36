-- +goose Up
-- The words of items, for searches. Triggers keep them, so that nobody who
-- writes items can forget to; the row's id is item.no.
CREATE VIRTUAL TABLE item_words USING fts5 (name, description, body, tokenize = "unicode61 remove_diacritics 2");
INSERT INTO item_words (rowid, name, description, body)
  SELECT i.no, i.name, coalesce(i.description, ''),
    coalesce((SELECT json_extract(c.query, '$.stages[0].native') FROM card c WHERE c.item = i.no AND json_valid(c.query)), '') FROM item i;

-- +goose StatementBegin
CREATE TRIGGER item_words_new AFTER INSERT ON item BEGIN
  INSERT INTO item_words (rowid, name, description, body) VALUES (new.no, new.name, coalesce(new.description, ''), '');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER item_words_changed AFTER UPDATE OF name, description ON item
WHEN old.name IS NOT new.name OR old.description IS NOT new.description BEGIN
  UPDATE item_words SET name = new.name, description = coalesce(new.description, '') WHERE rowid = new.no;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER item_words_gone AFTER DELETE ON item BEGIN
  DELETE FROM item_words WHERE rowid = old.no;
END;
-- +goose StatementEnd

-- The SQL of questions is text too.
-- +goose StatementBegin
CREATE TRIGGER card_words_new AFTER INSERT ON card WHEN json_valid(new.query) BEGIN
  UPDATE item_words SET body = coalesce(json_extract(new.query, '$.stages[0].native'), '') WHERE rowid = new.item;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER card_words_changed AFTER UPDATE OF query ON card WHEN json_valid(new.query) AND old.query <> new.query BEGIN
  UPDATE item_words SET body = coalesce(json_extract(new.query, '$.stages[0].native'), '') WHERE rowid = new.item;
END;
-- +goose StatementEnd

-- A search without words shows what changed last.
CREATE INDEX item_by_update ON item (updated_at, no);
