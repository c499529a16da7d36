import test from 'ava';
import { openApi } from './api-fixture.ts';

const report = (cases: string): string =>
  `pipeline: p\nsteps:\n  unit:\n    run: |\n      echo '<testsuite name="s">${cases}</testsuite>' > r.xml\n    junit: r.xml\n`;
const passed = (name: string, time = 1): string => `<testcase name="${name}" classname="c" time="${time}"/>`;
const failed = (name: string): string =>
  `<testcase name="${name}" classname="c" time="9"><failure message="no"/></testcase>`;

interface Case {
  readonly caseId: string;
  readonly name: string;
}

test('a case is followed over runs: results, what is new and what was red before', async (t) => {
  const { ask, run, ended } = await openApi(t);
  const first = await run(report(passed('a') + failed('b')));
  const second = await run(report(failed('a') + failed('b') + passed('c', 5)));
  const { tests } = (await ask(`/v1/runs/${second}/tests?sort=slowest&limit=2`)).json as {
    readonly tests: readonly Case[];
  };
  t.deepEqual(
    tests.map(({ name }) => name),
    ['a', 'b'],
  );
  const { failures } = (await ask(`/v1/runs/${second}/tests/failures`)).json as {
    readonly failures: readonly {
      readonly test: Case;
      readonly new: boolean;
      readonly redSince?: { readonly runId: string };
    }[];
  };
  t.deepEqual(
    failures.map((failure) => [failure.test.name, failure.new, failure.redSince?.runId]),
    [
      ['a', true, undefined],
      ['b', false, first],
    ],
  );
  const a = tests[0]?.caseId ?? '';
  const { results, next } = (await ask(`/v1/tests/${a}/results?limit=1`)).json as {
    readonly results: readonly object[];
    readonly next: string;
  };
  t.like(results, { 0: { runId: second, outcome: 'failed' }, length: 1 });
  t.like((await ask(`/v1/tests/${a}/results?limit=1&cursor=${next}`)).json, {
    results: { 0: { runId: first, outcome: 'passed' } },
  });
  // The same commit again: a case that is now green and now red about the same code is flaky.
  const { runId } = (await ask(`/v1/runs/${second}/rerun`, { method: 'POST', body: { from: 'unit' } })).json as {
    readonly runId: string;
  };
  await ended(runId);
  t.deepEqual((await ask('/v1/tests/flaky?repository=shop')).json, { cases: [] });
  t.is(((await ask('/v1/tests?repository=shop')).json as { readonly cases: readonly Case[] }).cases.length, 3);
  t.like((await ask('/v1/tests?repository=shop&name=c')).json, {
    cases: { 0: { name: 'c', step: 'unit' }, length: 1 },
  });
});

test('a case that is green and red at one commit is flaky', async (t) => {
  const world = await openApi(t);
  const { ask, begin, ended } = world;
  const yaml = `pipeline: p
steps:
  unit:
    run: |
      if mkdir ${world.path('once')}; then x='<failure/>'; fi
      echo "<testsuite name='s'><testcase name='f'>$x</testcase><testcase name='g'/></testsuite>" > r.xml
    junit: r.xml
`;
  const runId = await begin(yaml);
  await ended(runId);
  const again = (await ask(`/v1/runs/${runId}/rerun`, { method: 'POST', body: {} })).json as { readonly runId: string };
  await ended(again.runId);
  const { cases } = (await ask('/v1/tests/flaky?repository=shop')).json as {
    readonly cases: readonly { readonly case: Case; readonly flakiness: object }[];
  };
  t.deepEqual(
    cases.map(({ case: { name }, flakiness }) => [name, flakiness]),
    [['f', { score: 1, commits: 1, flakyCommits: 1 }]],
  );
  t.like((await ask(`/v1/tests/${cases[0]?.case.caseId ?? ''}`)).json, { flakiness: { score: 1 } });
});
