-- class: expand
-- verdict: refused
-- rules: index-without-concurrently
-- squawk: require-concurrent-reindex

REINDEX TABLE users;
