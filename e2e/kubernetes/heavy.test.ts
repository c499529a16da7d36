import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { clusterTest } from '../cluster/test-cluster.ts';
import { isBounded, only, runLargeLog } from './large-log.ts';
import { runPipeline } from './pipeline-run.ts';

clusterTest('200 MB of log at full speed are stored to the last byte, while the kubelet rotates its own', async (t) => {
  t.timeout(240_000);
  isBounded(t, await runLargeLog(t));
});

clusterTest(
  'an artefact of 1 GiB arrives by content, and passes through agent and runner without staying there',
  async (t) => {
    t.timeout(240_000);
    const run = await runPipeline(t, '  big: { run: "head -c 1073741824 /dev/zero > big", artifacts: [big] }\n');
    t.like(only(run.report), { outcome: 'succeeded', artifacts: 1 });
    const blobs = join(run.home, 'blobs');
    const files = readdirSync(blobs, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const stored = files
      .map(({ parentPath, name }) => join(parentPath, name))
      .find((path) => statSync(path).size === 1024 ** 3);
    const digest = createHash('sha256');
    await pipeline(createReadStream(stored ?? ''), digest);
    t.is(digest.digest('hex'), '49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14');
    isBounded(t, run);
  },
);

clusterTest('5,000 small files are artefacts like any other', async (t) => {
  t.timeout(240_000);
  const write = 'i=0; mkdir out; while [ $i -lt 5000 ]; do echo $i > out/$i; i=$((i+1)); done';
  const run = await runPipeline(t, `  many: { run: "${write}", artifacts: ["out/**"] }\n`);
  t.like(only(run.report), { outcome: 'succeeded', artifacts: 5_000 });
  isBounded(t, run);
});

clusterTest('what a step does to its own processes neither delays its end nor takes from its log', async (t) => {
  t.timeout(120_000);
  const { report } = await runPipeline(
    t,
    `  killed: { run: "echo before; sh -c 'kill -9 -1'; sleep 600", needs: [] }
  left: { run: "sleep 600 & echo before", needs: [] }
  noisy: { run: "(while :; do echo noise; done) & echo before; sleep 1", needs: [] }
`,
  );
  const [killed, left, noisy] = report.steps;
  t.like(killed, { outcome: 'failed', reason: 'signalled' });
  t.like(left, { outcome: 'succeeded' });
  t.like(noisy, { outcome: 'succeeded' });
  t.like(killed?.attempts[0]?.log, { bytes: 7, complete: true });
  t.like(left?.attempts[0]?.log, { bytes: 7, complete: true });
  t.true(noisy?.attempts[0]?.log?.complete);
});

/** What a step can do to the folder where its shell and the agent meet; each ends with 3. */
const meddlings: Readonly<Record<string, string>> = {
  lies: 'echo 0 > /sluice/control/done; exit 3',
  'lies-and-goes-on': 'echo 0 > /sluice/control/done; sleep 3; exit 3',
  babbles: 'echo nonsense > /sluice/control/done; exit 3',
  removes: 'rm -rf /sluice/control/*; exit 3',
  'removes-all': 'rm -rf /sluice/* 2>/dev/null; exit 3',
  moves: 'mv /sluice/control /sluice/gone; exit 3',
  locks: 'chmod 0 /sluice/control; exit 3',
  floods: 'head -c 100000 /dev/zero > /sluice/control/done; exit 3',
  replaces: 'rm /sluice/control/done; ln -s /dev/null /sluice/control/done; exit 3',
  stops: 'echo 9 > /sluice/control/stop; sleep 600; exit 3',
  pretends: 'echo 0 > /sluice/control/done; rm -rf /sluice/control; sleep 3; exit 3',
};

clusterTest(
  'a step that meddles with all that it shares with its agent is never green, and its run ends',
  async (t) => {
    t.timeout(300_000);
    const steps = Object.entries(meddlings).map(
      ([name, script]) =>
        `  ${name}:\n    needs: []\n    retry: { max: 0 }\n    run: |\n      echo before\n      ${script}\n`,
    );
    const { report } = await runPipeline(t, steps.join(''));
    t.deepEqual(
      report.steps.filter(({ outcome }) => outcome !== 'failed' && outcome !== 'errored').map(({ id }) => id),
      [],
    );
    for (const { id, reason, attempts } of report.steps) {
      const { bytes, complete } = attempts.at(-1)?.log ?? {};
      t.not(reason, 'node_lost', id);
      t.log(`${id}: ${reason ?? ''}, ${bytes ?? 'no'} bytes, ${complete === true ? 'complete' : 'a gap'}`);
      t.true(complete === false || bytes === 7, id);
    }
  },
);
