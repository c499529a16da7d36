-- class: breaking
-- verdict: refused
-- rules: rename
-- squawk:
-- difference: squawk has no rule about it; live code that reads or writes the old name fails.

ALTER TYPE mood RENAME VALUE 'calm' TO 'quiet';
