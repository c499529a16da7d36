-- class: contract
-- verdict: refused
-- rules: drop-table waiver-expired
-- squawk: ban-drop-table

-- sluice:allow drop-table until 2020-01-01: no release since r12 reads it
DROP TABLE old_sessions;
