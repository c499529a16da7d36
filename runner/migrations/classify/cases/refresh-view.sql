-- class: data
-- verdict: refused
-- rules: refresh-without-concurrently
-- squawk:
-- difference: squawk has no rule about it; readers wait until the view is made.

REFRESH MATERIALIZED VIEW totals;
