-- class: expand
-- verdict: refused
-- rules: rewriting-column
-- squawk: adding-field-with-default

ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid();
