-- class: none
-- verdict: accepted
-- rules:
-- squawk:

-- This migration is empty on purpose.
