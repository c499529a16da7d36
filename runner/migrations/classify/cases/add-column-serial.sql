-- class: expand
-- verdict: refused
-- rules: rewriting-column
-- squawk:
-- difference: squawk does not count nextval() of a serial as a volatile default; it rewrites the table.

ALTER TABLE users ADD COLUMN number bigserial;
