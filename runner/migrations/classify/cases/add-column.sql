-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

ALTER TABLE users ADD COLUMN nickname text;
