-- class: contract
-- verdict: refused
-- rules: partition-without-concurrently
-- squawk: require-concurrent-partition-detach

ALTER TABLE events DETACH PARTITION events_2020;
