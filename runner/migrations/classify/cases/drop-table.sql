-- class: contract
-- verdict: refused
-- rules: drop-table
-- squawk: ban-drop-table

DROP TABLE users;
