-- class: data
-- verdict: refused
-- rules: unbatched-change
-- squawk:
-- difference: squawk has no rule about batches.

WITH changed AS (UPDATE users SET active = true RETURNING id) SELECT id FROM changed;
