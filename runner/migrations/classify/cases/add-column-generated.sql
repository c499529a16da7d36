-- class: expand
-- verdict: refused
-- rules: rewriting-column
-- squawk: adding-field-with-default

ALTER TABLE users ADD COLUMN lower_name text GENERATED ALWAYS AS (lower(name)) STORED;
