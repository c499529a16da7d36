/** Lines by which tools part the way up from the way down in one file: node-pg-migrate, dbmate, goose, sql-migrate, rambler. */
const down = /^--\s*(down migration|migrate:down|\+goose down|\+migrate down|rambler down)\b/i;
const up = /^--\s*(up migration|migrate:up|\+goose up|\+migrate up|rambler up)\b/i;

/** The part of a script that is applied; the rest becomes blanks, so that places stay as they are. */
export function upSection(sql: string): string {
  let goesUp = true;
  return sql
    .split('\n')
    .map((line) => {
      if (down.test(line)) goesUp = false;
      else if (up.test(line)) goesUp = true;
      return goesUp ? line : line.replace(/[^\r]/g, ' ');
    })
    .join('\n');
}

/** Whether a script says that it must not be wrapped in a transaction: ours, dbmate's, goose's, sql-migrate's word for it. */
export function wantsNoTransaction(sql: string): boolean {
  return /^--\s*(sluice:no-transaction|migrate:up\s+transaction:false|\+goose no transaction|\+migrate up notransaction)\b/im.test(
    sql,
  );
}
