-- class: expand
-- verdict: accepted
-- rules:
-- squawk: ban-drop-not-null
-- difference: squawk fears readers that expect a value; rows get NULL only when code writes it, which tests show.

ALTER TABLE users ALTER COLUMN email DROP NOT NULL;
