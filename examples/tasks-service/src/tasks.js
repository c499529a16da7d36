const columns = "id::text, title, to_char(due, 'YYYY-MM-DD') AS due, done";

/** The tasks in a database; `pool` is a pool of `pg`. */
export function createTasks(pool) {
  return {
    /** Tasks in the order in which they were made, behind the one with the id `after`. */
    async list({ after = '0', limit = 50 }) {
      const { rows } = await pool.query(`SELECT ${columns} FROM tasks WHERE id > $1 ORDER BY tasks.id LIMIT $2`, [
        after,
        limit,
      ]);
      return rows;
    },
    async get(id) {
      const { rows } = await pool.query(`SELECT ${columns} FROM tasks WHERE id = $1`, [id]);
      return rows[0];
    },
    async create({ title, due, done }) {
      const { rows } = await pool.query(
        `INSERT INTO tasks (title, due, done) VALUES ($1, $2, coalesce($3, false)) RETURNING ${columns}`,
        [title, due, done],
      );
      return rows[0];
    },
    /** Changes the fields that are given; a `due` of null takes the day away. */
    async change(id, { title, due, done }) {
      const { rows } = await pool.query(
        `UPDATE tasks SET title = coalesce($2, title), done = coalesce($3, done), due = CASE WHEN $4 THEN $5::date ELSE due END
         WHERE id = $1 RETURNING ${columns}`,
        [id, title, done, due !== undefined, due],
      );
      return rows[0];
    },
    async remove(id) {
      const { rowCount } = await pool.query('DELETE FROM tasks WHERE id = $1', [id]);
      return rowCount === 1;
    },
  };
}
