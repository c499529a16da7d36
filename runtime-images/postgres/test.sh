# Runs in the image: what its page promises.
POSTGRES_PASSWORD=secret POSTGRES_HOST_AUTH_METHOD=scram-sha-256 POSTGRES_USER=app POSTGRES_DB=shop start-postgres -c fsync=off &
until pg_isready --host=localhost; do sleep 0.1; done
PGPASSWORD=secret psql --host="$(hostname -i)" --username=app --dbname=shop --command='SELECT version()'
! PGPASSWORD=wrong psql --host="$(hostname -i)" --username=app --dbname=shop --command='SELECT 1'
kill -INT "$!"
wait "$!"
