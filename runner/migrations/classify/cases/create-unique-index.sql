-- class: expand
-- verdict: refused
-- rules: index-without-concurrently
-- squawk: require-concurrent-index-creation

CREATE UNIQUE INDEX users_email ON users (email);
