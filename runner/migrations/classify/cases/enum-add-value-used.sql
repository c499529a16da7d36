-- class: data
-- verdict: refused
-- rules: enum-value-used
-- squawk:
-- difference: squawk has no rule about it; PostgreSQL refuses it (55P04).

BEGIN;
ALTER TYPE mood ADD VALUE 'calm';
INSERT INTO moods (name) VALUES ('calm');
COMMIT;
