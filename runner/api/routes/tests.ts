import { Type } from 'typebox';
import type { Static } from 'typebox';
import { flakinessOf } from '../../results/flakiness.ts';
import { reportOf } from '../../results/report/run-report.ts';
import type { RunReport } from '../../results/report/run-report.ts';
import type { TestCase } from '../../model/result.ts';
import { caseIdOf } from '../../store/case-id.ts';
import type { CaseResult, KnownCase } from '../../store/server-records.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { badCursor, numberOf, pageOf, pageQuery, pageSchema, positionOf } from '../pages.ts';
import { notFound } from '../problem.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import {
  caseId,
  caseResultSchema,
  flakinessSchema,
  knownCaseSchema,
  name,
  runParams,
  runTestSchema,
} from '../schemas.ts';

const closed = { additionalProperties: false };
/** Newest results that a score is made from. */
const scored = 100;
const dayMs = 86_400_000;

const testsQuery = Type.Object(
  {
    show: Type.Optional(Type.Enum(['all', 'red', 'flaky'], { default: 'all' })),
    step: Type.Optional(name),
    sort: Type.Optional(
      Type.Enum(['reported', 'slowest'], { default: 'reported', description: '`slowest` is one page.' }),
    ),
    ...pageQuery,
  },
  closed,
);

export function testRoutes(api: ApiDependencies): readonly Route[] {
  return [testsOfRun(api), failuresOfRun(api), listCases(api), flakyCases(api), ...oneCase(api)];
}

type RunTest = TestCase & { readonly caseId: string; readonly step: string; readonly attempt: number };

function testsOfRun({ engine, store }: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/v1/runs/{runId}/tests',
    id: 'list-tests',
    summary: 'The test cases of a run',
    tag: 'tests',
    access: { verb: 'read-runs', on: 'run' },
    params: runParams,
    query: testsQuery,
    answers: {
      200: {
        description: 'One page of cases, of the last attempts, as reported.',
        schema: pageSchema('tests', runTestSchema),
      },
    },
    handle: async ({ run, query }) => {
      const { limit = 50, cursor } = query;
      const tests = testsOf(store, run.repository, reportOf(await engine.state(run.runId)), query);
      if (query.sort === 'slowest') return { tests: await slowestOf(tests, limit) };
      const first = numberOf(cursor);
      const page: RunTest[] = [];
      let seen = 0;
      for await (const item of tests) {
        if (seen++ >= first) page.push(item);
        if (page.length > limit) break;
      }
      return pageOf('tests', page, limit, () => first + limit);
    },
  });
}

async function* testsOf(
  store: ApiDependencies['store'],
  repository: string,
  { runId, steps }: RunReport,
  { show, step }: Pick<Static<typeof testsQuery>, 'show' | 'step'>,
): AsyncGenerator<RunTest> {
  for (const { id, attempts, tests } of steps) {
    if (!tests || (step !== undefined && step !== id)) continue;
    const attempt = attempts.length;
    for await (const item of store.tests({ runId, step: id, attempt })) {
      if (show === 'red' && !isRed(item)) continue;
      if (show === 'flaky' && !item.flaky) continue;
      yield { caseId: caseIdOf(repository, id, item), step: id, attempt, ...item };
    }
  }
}

/** Keeps few at a time, so that a million cases need no more memory than the slowest. */
async function slowestOf(tests: AsyncIterable<RunTest>, limit: number): Promise<readonly RunTest[]> {
  const kept: RunTest[] = [];
  const cut = (): unknown => kept.sort((a, b) => b.durationMs - a.durationMs).splice(limit);
  for await (const item of tests) {
    kept.push(item);
    if (kept.length >= 2 * limit) cut();
  }
  cut();
  return kept;
}

function failuresOfRun({ engine, store }: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/v1/runs/{runId}/tests/failures',
    id: 'list-failures',
    summary: 'The red cases of a run, new ones told from those that were red before',
    tag: 'tests',
    access: { verb: 'read-runs', on: 'run' },
    params: runParams,
    query: Type.Object(pageQuery, closed),
    answers: {
      200: {
        description: 'One page of red cases. `new`: it was green, or not there, when it last ran before.',
        schema: pageSchema(
          'failures',
          Type.Object(
            {
              test: runTestSchema,
              new: Type.Boolean(),
              redSince: Type.Optional(caseResultSchema),
              lastGreen: Type.Optional(caseResultSchema),
            },
            closed,
          ),
        ),
      },
    },
    handle: async ({ run, query: { limit = 50, cursor } }) => {
      const first = numberOf(cursor);
      const page: object[] = [];
      let seen = 0;
      for await (const test of testsOf(store, run.repository, reportOf(await engine.state(run.runId)), {
        show: 'red',
      })) {
        if (seen++ < first) continue;
        const before = await store.caseResults(test.caseId, { before: run.createdAt, limit: scored });
        page.push({ test, ...judge(before) });
        if (page.length > limit) break;
      }
      return pageOf('failures', page, limit, () => first + limit);
    },
  });
}

/** From the results before, newest first: since when it has been red without a green one between. */
function judge(before: readonly CaseResult[]): object {
  const told = before.filter(({ outcome }) => outcome !== 'skipped');
  const green = told.findIndex(({ outcome }) => outcome === 'passed');
  const since = told[green === -1 ? told.length - 1 : green - 1];
  const lastGreen = told[green];
  return {
    new: since === undefined,
    ...(since && { redSince: toldResult(since) }),
    ...(lastGreen && { lastGreen: toldResult(lastGreen) }),
  };
}

function listCases({ store }: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/v1/tests',
    id: 'list-test-cases',
    summary: 'The test cases that a repository has or had',
    tag: 'tests',
    access: { verb: 'read-runs', on: 'repository' },
    query: Type.Object(
      { repository: name, name: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })), ...pageQuery },
      closed,
    ),
    answers: { 200: { description: 'One page of cases.', schema: pageSchema('cases', knownCaseSchema) } },
    handle: async ({ query: { repository, name: wanted, limit = 50, cursor } }) => {
      const after = positionOf(cursor);
      const cases = await store.knownCases({
        repository,
        ...(wanted !== undefined && { name: wanted }),
        ...(after !== undefined && { after }),
        limit: limit + 1,
      });
      return pageOf('cases', cases, limit, (last) => last.caseId);
    },
  });
}

const flakyCaseSchema = Type.Object({ case: knownCaseSchema, flakiness: flakinessSchema }, closed);

function flakyCases({ store, clock }: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/v1/tests/flaky',
    id: 'list-flaky-cases',
    summary: 'The test cases of a repository that change their mind, worst first',
    tag: 'tests',
    access: { verb: 'read-runs', on: 'repository' },
    query: Type.Object(
      {
        repository: name,
        days: Type.Optional(Type.Integer({ minimum: 1, maximum: 365, default: 30 })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, default: 20 })),
      },
      closed,
    ),
    answers: {
      200: {
        description: `Cases with a score above 0, of those with the most red or flaky results; a score is made from the newest ${scored}.`,
        schema: Type.Object({ cases: Type.Array(flakyCaseSchema) }, closed),
      },
    },
    handle: async ({ query: { repository, days = 30, limit = 20 } }) => {
      const since = clock() - days * dayMs;
      const known = await store.troubledCases(repository, since, 2 * limit);
      const cases = await Promise.all(known.map((item) => withFlakiness(store, item)));
      const flaky = cases.filter(({ flakiness: { score } }) => score > 0);
      return { cases: flaky.toSorted((a, b) => b.flakiness.score - a.flakiness.score).slice(0, limit) };
    },
  });
}

async function withFlakiness(store: ApiDependencies['store'], known: KnownCase) {
  return { case: known, flakiness: flakinessOf(await store.caseResults(known.caseId, { limit: scored })) };
}

function oneCase({ store }: ApiDependencies): readonly Route[] {
  const params = Type.Object({ caseId }, closed);
  return [
    route({
      method: 'GET',
      path: '/v1/tests/{caseId}',
      id: 'get-test-case',
      summary: 'A test case and how flaky it is',
      tag: 'tests',
      access: { verb: 'read-runs', on: 'case' },
      params,
      answers: { 200: { description: 'The case.', schema: flakyCaseSchema } },
      handle: async ({ params: { caseId: id } }) => {
        const known = await store.knownCase(id);
        if (!known) throw notFound();
        return withFlakiness(store, known);
      },
    }),
    route({
      method: 'GET',
      path: '/v1/tests/{caseId}/results',
      id: 'list-case-results',
      summary: 'How a test case went over time, newest first',
      tag: 'tests',
      access: { verb: 'read-runs', on: 'case' },
      params,
      query: Type.Object(pageQuery, closed),
      answers: { 200: { description: 'One page of results.', schema: pageSchema('results', caseResultSchema) } },
      handle: async ({ params: { caseId: id }, query: { limit = 50, cursor } }) => {
        const after = positionOf(cursor);
        if (after !== undefined && !/^\d+\.[\w-]+\.\d+$/.test(after)) throw badCursor();
        const results = await store.caseResults(id, { ...(after !== undefined && { after }), limit: limit + 1 });
        const page = pageOf('results', results, limit, (last) => last.cursor);
        return { ...page, results: results.slice(0, limit).map(toldResult) };
      },
    }),
  ];
}

function toldResult({ runId, step, attempt, commit, at, outcome, flaky, durationMs }: CaseResult) {
  return { runId, step, attempt, commit, at, outcome, flaky, durationMs };
}

function isRed({ outcome }: TestCase): boolean {
  return outcome === 'failed' || outcome === 'errored';
}
