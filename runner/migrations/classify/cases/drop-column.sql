-- class: contract
-- verdict: refused
-- rules: drop-column
-- squawk: ban-drop-column

ALTER TABLE users DROP COLUMN nickname;
