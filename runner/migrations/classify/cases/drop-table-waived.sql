-- class: contract
-- verdict: accepted
-- rules: drop-table
-- squawk: ban-drop-table
-- difference: squawk knows waivers of its own form only.

-- sluice:allow drop-table until 2099-01-01: no release since r12 reads it
DROP TABLE old_sessions;
