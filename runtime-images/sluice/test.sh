# Runs in the image: what its page promises.
sluice --version | grep '^0\.'
sluice operation deploy-testing 2>&1 | grep 'operations are the commands of steps'
! sluice operation nonsense 2>/dev/null
echo 'ALTER TABLE users DROP COLUMN name;' >/tmp/file.sql
sluice migrate lint /tmp/file.sql 2>&1 | grep drop-column
pg_dump --version | grep '^pg_dump (PostgreSQL)'
pg_restore --version | grep '^pg_restore (PostgreSQL)'
