-- class: expand
-- verdict: accepted
-- rules:
-- squawk:

ALTER TYPE mood ADD VALUE 'calm';
