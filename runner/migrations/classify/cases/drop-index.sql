-- class: expand
-- verdict: refused
-- rules: index-without-concurrently
-- squawk: require-concurrent-index-deletion

DROP INDEX users_email;
