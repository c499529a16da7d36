-- class: breaking
-- verdict: refused
-- rules: row-security
-- squawk:
-- difference: squawk has no rule about it.

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
