-- class: breaking
-- verdict: refused
-- rules: rename
-- squawk: renaming-column

ALTER TABLE users RENAME COLUMN name TO full_name;
