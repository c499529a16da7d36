-- class: expand
-- verdict: refused
-- rules: constraint-builds-index
-- squawk: adding-serial-primary-key-field constraint-missing-not-valid

ALTER TABLE events ADD PRIMARY KEY (id);
