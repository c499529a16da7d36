-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

ALTER TABLE users ADD COLUMN active boolean NOT NULL DEFAULT true;
