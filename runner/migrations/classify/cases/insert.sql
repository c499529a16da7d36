-- class: data
-- verdict: accepted
-- rules:
-- squawk:

INSERT INTO roles (name) VALUES ('admin'), ('editor');
