-- class: expand
-- verdict: refused
-- rules: rewriting-column
-- squawk: adding-field-with-default

ALTER TABLE users ADD COLUMN luck double precision NOT NULL DEFAULT random() * 100;
