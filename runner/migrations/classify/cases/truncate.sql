-- class: breaking
-- verdict: refused
-- rules: truncate
-- squawk: ban-truncate-cascade

TRUNCATE users CASCADE;
