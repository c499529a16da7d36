-- class: breaking
-- verdict: refused
-- rules: rename
-- squawk: renaming-table

ALTER TABLE users RENAME TO accounts;
