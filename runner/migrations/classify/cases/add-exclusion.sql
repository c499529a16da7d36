-- class: expand
-- verdict: refused
-- rules: constraint-builds-index
-- squawk: constraint-missing-not-valid

ALTER TABLE bookings ADD CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&);
