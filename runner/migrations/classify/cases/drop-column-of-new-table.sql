-- class: expand
-- verdict: accepted
-- rules:
-- squawk: ban-drop-column
-- difference: the column was made by the same script, so that nobody uses it.

CREATE TABLE drafts (id bigint PRIMARY KEY, text text);
ALTER TABLE drafts DROP COLUMN text;
