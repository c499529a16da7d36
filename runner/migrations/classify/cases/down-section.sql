-- class: expand
-- verdict: accepted
-- rules:
-- squawk: ban-drop-column
-- difference: squawk reads the way down too, which the tool does not apply.

-- Up Migration
ALTER TABLE users ADD COLUMN nickname text;
-- Down Migration
ALTER TABLE users DROP COLUMN nickname;
