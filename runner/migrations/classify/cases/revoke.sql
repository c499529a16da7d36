-- class: contract
-- verdict: refused
-- rules: revoke
-- squawk:
-- difference: squawk has no rule about it.

REVOKE SELECT ON users FROM reader;
