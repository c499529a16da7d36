-- class: contract
-- verdict: refused
-- rules: drop-table waiver-unused
-- squawk: ban-drop-table

-- sluice:allow drop-column until 2099-01-01: the wrong rule
DROP TABLE old_sessions;
