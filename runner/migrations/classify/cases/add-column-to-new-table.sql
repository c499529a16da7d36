-- class: expand
-- verdict: accepted
-- rules:
-- squawk: adding-field-with-default constraint-missing-not-valid disallowed-unique-constraint
-- difference: the table is made by the same script, so that it has neither rows nor users.

CREATE TABLE drafts (id bigint PRIMARY KEY);
ALTER TABLE drafts ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE drafts ADD CONSTRAINT drafts_token UNIQUE (token);
