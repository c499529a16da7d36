-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

ALTER TABLE users ALTER COLUMN active SET DEFAULT false;
