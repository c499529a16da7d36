-- class: expand
-- verdict: refused
-- rules: index-without-concurrently
-- squawk: require-concurrent-index-creation

CREATE INDEX users_email ON users (email);
