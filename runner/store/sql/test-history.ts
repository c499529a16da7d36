import type { Kysely, Selectable } from 'kysely';
import type { AttemptKey, TestCase } from '../../model/result.ts';
import { caseIdOf } from '../case-id.ts';
import type { CaseResult, KnownCase } from '../server-records.ts';
import type { RunRow } from '../store.ts';
import type { Schema, TestCasesTable } from './schema.ts';

/** Rows per statement: few enough values for every database, enough to be fast. */
const batch = 50;

/** How many red or flaky results are looked at to find the cases with the most. */
const searched = 20_000;

/** One row per case of a report, so that a case can be followed through all runs. Goes with the save that it is part of. */
export async function insertResults(
  db: Kysely<Schema>,
  run: RunRow,
  { step }: AttemptKey,
  save: { readonly saveId: string; readonly first: number },
  cases: readonly TestCase[],
): Promise<void> {
  const { repository } = run;
  const rows = cases.map((item, index) => {
    const caseId = caseIdOf(repository, step, item);
    return {
      known: toCaseRow({ ...item, caseId, repository, step }),
      result: {
        save_id: save.saveId,
        position: save.first + index,
        case_id: caseId,
        repository,
        commit_id: run.commit,
        at: run.createdAt,
        outcome: item.outcome,
        flaky: item.flaky ? 1 : 0,
        notable: item.flaky || item.outcome === 'failed' || item.outcome === 'errored' ? 1 : 0,
        duration_ms: item.durationMs,
      },
    };
  });
  for (let start = 0; start < rows.length; start += batch) {
    const part = rows.slice(start, start + batch);
    await db
      .insertInto('test_cases')
      .values(part.map(({ known }) => known))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await db
      .insertInto('test_results')
      .values(part.map(({ result }) => result))
      .execute();
  }
}

export async function findCase(db: Kysely<Schema>, caseId: string): Promise<KnownCase | undefined> {
  const row = await db.selectFrom('test_cases').selectAll().where('case_id', '=', caseId).executeTakeFirst();
  return row && toKnownCase(row);
}

export async function listCases(
  db: Kysely<Schema>,
  filter: { readonly repository: string; readonly name?: string; readonly after?: string; readonly limit: number },
): Promise<readonly KnownCase[]> {
  let query = db.selectFrom('test_cases').selectAll().where('repository', '=', filter.repository);
  if (filter.name !== undefined) query = query.where('name', '=', filter.name);
  if (filter.after !== undefined) query = query.where('case_id', '>', filter.after);
  return (await query.orderBy('case_id').limit(filter.limit).execute()).map(toKnownCase);
}

export async function listCaseResults(
  db: Kysely<Schema>,
  caseId: string,
  filter: { readonly before?: number; readonly after?: string; readonly limit: number },
): Promise<readonly CaseResult[]> {
  let query = db
    .selectFrom('test_results as result')
    .innerJoin('test_saves as save', 'save.save_id', 'result.save_id')
    .selectAll('result')
    .select(['save.run_id', 'save.step', 'save.attempt'])
    .where('result.case_id', '=', caseId)
    .where('save.chunks', 'is not', null);
  if (filter.before !== undefined) query = query.where('result.at', '<', filter.before);
  if (filter.after !== undefined) {
    const [at = '', saveId = '', position = ''] = filter.after.split('.');
    query = query.where((eb) =>
      eb(
        eb.refTuple('result.at', 'result.save_id', 'result.position'),
        '<',
        eb.tuple(Number(at), saveId, Number(position)),
      ),
    );
  }
  const rows = await query
    .orderBy('result.at', 'desc')
    .orderBy('result.save_id', 'desc')
    .orderBy('result.position', 'desc')
    .limit(filter.limit)
    .execute();
  return rows.map((row) => ({
    caseId,
    runId: row.run_id,
    step: row.step,
    attempt: row.attempt,
    commit: row.commit_id,
    at: row.at,
    outcome: row.outcome,
    flaky: row.flaky === 1,
    durationMs: row.duration_ms,
    cursor: `${row.at}.${row.save_id}.${row.position}`,
  }));
}

export async function listTroubledCases(
  db: Kysely<Schema>,
  repository: string,
  since: number,
  limit: number,
): Promise<readonly KnownCase[]> {
  const rows = await db
    .with('newest', (cte) =>
      cte
        .selectFrom('test_results')
        .select('case_id')
        .where('repository', '=', repository)
        .where('notable', '=', 1)
        .where('at', '>=', since)
        .orderBy('at', 'desc')
        .limit(searched),
    )
    .with('ranked', (cte) =>
      cte
        .selectFrom('newest')
        .select(['case_id', (eb) => eb.fn.countAll<number>().as('results')])
        .groupBy('case_id')
        .orderBy('results', 'desc')
        .orderBy('case_id')
        .limit(limit),
    )
    .selectFrom('ranked')
    .innerJoin('test_cases', 'test_cases.case_id', 'ranked.case_id')
    .selectAll('test_cases')
    .orderBy('ranked.results', 'desc')
    .orderBy('ranked.case_id')
    .execute();
  return rows.map(toKnownCase);
}

function toCaseRow({ caseId, repository, step, suites, className, name, file }: KnownCase): TestCasesTable {
  return {
    case_id: caseId,
    repository,
    step,
    suites: JSON.stringify(suites),
    class_name: className,
    name,
    file,
  };
}

function toKnownCase(row: Selectable<TestCasesTable>): KnownCase {
  return {
    caseId: row.case_id,
    repository: row.repository,
    step: row.step,
    suites: JSON.parse(row.suites) as readonly string[],
    className: row.class_name,
    name: row.name,
    file: row.file,
  };
}
