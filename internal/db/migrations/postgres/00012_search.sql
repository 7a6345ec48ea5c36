-- +goose Up
-- The words of items, for searches. Triggers keep them, so that nobody who
-- writes items can forget to. A is the name, B the description, C the SQL.
CREATE TABLE item_words (
  item  BIGINT PRIMARY KEY REFERENCES item (no) ON DELETE CASCADE,
  words TSVECTOR NOT NULL
);
CREATE INDEX item_words_by_word ON item_words USING gin (words);

-- Punctuation parts words, as it does in SQLite; otherwise orders.csv would be
-- the name of a host. What is too long for a tsvector is not searched.
-- +goose StatementBegin
CREATE FUNCTION words_of(t TEXT) RETURNS TSVECTOR LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT to_tsvector('pg_catalog.simple', translate(left(coalesce(t, ''), 100000), '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                '))
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION words_of_query(q TEXT) RETURNS TSVECTOR LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT setweight(words_of(CAST(q AS jsonb) #>> '{stages,0,native}'), 'C')
$$;
-- +goose StatementEnd

INSERT INTO item_words (item, words)
  SELECT i.no, setweight(words_of(i.name_key), 'A') || setweight(words_of(i.description), 'B') || coalesce(words_of_query(c.query), ''::tsvector)
  FROM item i LEFT JOIN card c ON c.item = i.no;

-- +goose StatementBegin
CREATE FUNCTION item_words_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO item_words (item, words) VALUES (new.no, setweight(words_of(new.name_key), 'A') || setweight(words_of(new.description), 'B'));
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER item_words_new AFTER INSERT ON item FOR EACH ROW EXECUTE FUNCTION item_words_new();

-- +goose StatementBegin
CREATE FUNCTION item_words_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE item_words SET words = setweight(words_of(new.name_key), 'A') || setweight(words_of(new.description), 'B') || ts_filter(words, '{c}')
  WHERE item = new.no;
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER item_words_changed AFTER UPDATE OF name, description ON item FOR EACH ROW
  WHEN (old.name IS DISTINCT FROM new.name OR old.description IS DISTINCT FROM new.description) EXECUTE FUNCTION item_words_changed();

-- The SQL of questions is text too.
-- +goose StatementBegin
CREATE FUNCTION card_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE item_words SET words = ts_filter(words, '{a,b}') || words_of_query(new.query) WHERE item = new.item;
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER card_words_new AFTER INSERT ON card FOR EACH ROW EXECUTE FUNCTION card_words();
CREATE TRIGGER card_words_changed AFTER UPDATE OF query ON card FOR EACH ROW WHEN (old.query <> new.query) EXECUTE FUNCTION card_words();

-- A search without words shows what changed last.
CREATE INDEX item_by_update ON item (updated_at, no);
