CREATE INDEX tasks_open_by_due ON tasks (due, id) WHERE NOT done;
