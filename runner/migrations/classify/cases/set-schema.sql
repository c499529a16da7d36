-- class: breaking
-- verdict: refused
-- rules: rename
-- squawk:
-- difference: squawk sees renames of tables and columns only; a schema is part of the name.

ALTER TABLE users SET SCHEMA archive;
