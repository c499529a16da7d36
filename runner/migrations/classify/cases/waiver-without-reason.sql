-- class: contract
-- verdict: refused
-- rules: drop-table waiver-malformed
-- squawk: ban-drop-table

-- sluice:allow drop-table until 2099-01-01
DROP TABLE old_sessions;
