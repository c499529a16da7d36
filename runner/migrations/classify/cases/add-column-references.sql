-- class: expand
-- verdict: accepted
-- rules:
-- squawk: adding-foreign-key-constraint
-- difference: no scan happens: the new column is NULL in every row, and PostgreSQL skips the check then.

ALTER TABLE users ADD COLUMN team_id bigint REFERENCES teams (id);
