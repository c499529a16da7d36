-- class: data
-- verdict: refused
-- rules: unbatched-change
-- squawk:
-- difference: squawk has no rule about batches.

UPDATE users SET active = true;
