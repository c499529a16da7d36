-- class: breaking
-- verdict: refused
-- rules: database-statement
-- squawk: ban-drop-database

DROP DATABASE app;
