import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Text that stands in a file exactly once, and what stands there instead. */
interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

interface Defence {
  readonly name: string;
  /** What takes it out of the product. */
  readonly edits: readonly Edit[];
  readonly suite: string;
  /** Words of the title of the test that has to go red. */
  readonly test: string;
  /** What the checker has to say then. */
  readonly says: RegExp;
}

const executor = 'runner/executors/kubernetes';
const kills = 'e2e/faults/kubernetes/kill-runner.chaos.ts';
const interruptions = 'e2e/faults/kubernetes/interruptions.chaos.ts';

const sweepNothing: Edit = {
  file: `${executor}/sweep.ts`,
  from: 'if (!isHeld(name)) await',
  to: 'if (name === "") await',
};

const defences: readonly Defence[] = [
  {
    name: 'an attempt that goes on is found again by the name of its Job',
    edits: [
      { file: 'runner/engine/attempt.ts', from: 'return task.lost ?', to: 'return task.lost && spec.attempt > 9 ?' },
      {
        file: `${executor}/attempt-pod.ts`,
        from: '      if (found !== undefined) return found;\n      throw createFault(error);',
        to: `      if (found === undefined) throw createFault(error);
      await cluster.delete(jobs, { namespace, name: this.name }, { propagation: 'Foreground' });
      throw createFault(error);`,
      },
    ],
    suite: kills,
    test: 'run.plan after',
    says: /ran 2 times|I2: |I3: |ended as/,
  },
  {
    name: 'the next attempt begins when nothing of the one before it runs any more',
    edits: [
      {
        file: `${executor}/next-move.ts`,
        from: 'return mayHaveBegun(view) && !hasEnded;',
        to: 'return hasEnded && false;',
      },
    ],
    suite: interruptions,
    test: 'an agent that is killed is lost',
    says: /I3: /,
  },
  {
    name: 'steps of `finally` wait for the proof of all others',
    edits: [
      {
        file: 'runner/scheduler/decide.ts',
        from: 'if (step.finally && !state.plan.steps.every(',
        to: "if (step.id === '' && !state.plan.steps.every(",
      },
    ],
    suite: kills,
    test: 'step.claim"',
    says: /I5: /,
  },
  {
    name: 'a runner goes on with a log at the byte where the last one ended',
    edits: [{ file: `${executor}/agent-desk.ts`, from: 'this.#offset = tools.logOffset;', to: 'this.#offset = 0;' }],
    suite: kills,
    test: 'step.claim"',
    says: /I6: the log of .* has line/,
  },
  {
    name: 'content is stored under the digest of its own bytes',
    edits: [
      {
        file: 'runner/store/blobs.ts',
        from: 'await file.writeFile(piece);',
        to: "await file.writeFile(piece.byteLength === 6 ? Buffer.from('broken') : piece);",
      },
    ],
    suite: kills,
    test: 'step.word',
    says: /I7: /,
  },
  {
    name: 'secrets are masked on their way into the store',
    edits: [
      {
        file: 'runner/results/log/masker.ts',
        from: 'if (forms.length === 0) return undefined;',
        to: 'if (forms.length >= 0) return undefined;',
      },
    ],
    suite: kills,
    test: 'step.word',
    says: /I9: /,
  },
  {
    name: 'a Job is deleted when its results are on record, and swept when that was missed',
    edits: [
      {
        file: `${executor}/kubernetes-executor.ts`,
        from: "await persist(() => cluster.delete(jobs, at, { propagation: 'Background' }), {",
        to: 'await persist(() => Promise.resolve(), {',
      },
      sweepNothing,
    ],
    suite: interruptions,
    test: 'a runner that stands still',
    says: /I11: /,
  },
  {
    name: 'green needs the word on exactly the pod on record',
    edits: [{ file: `${executor}/attempt-pod.ts`, from: "podUid: metadata?.uid ?? '',", to: "podUid: 'another'," }],
    suite: interruptions,
    test: 'a runner that stands still',
    says: /I13: /,
  },
  {
    name: 'a command gets its go when its place is on record',
    edits: [
      {
        file: `${executor}/live-attempt.ts`,
        from: 'if (!this.#placed) await context.placed(pod.place());',
        to: 'void context;',
      },
    ],
    suite: interruptions,
    test: 'a runner that stands still',
    says: /ran without being on record/,
  },
  {
    name: 'an event is told only when it is durable',
    edits: [
      {
        file: 'runner/engine/journal.ts',
        from: '        await this.#store.append(this.#lease, version, events);\n',
        to: `        this.#apply(events.map((event, index) => ({ ...event, version: version + index + 1 })));
        await new Promise((resolve) => setTimeout(resolve, 300));
        await this.#store.append(this.#lease, version, events);
`,
      },
    ],
    suite: kills,
    test: 'run.plan after',
    says: /acknowledged and lost/,
  },
];

/**
 * Takes each defence out of a copy of Sluice and plays a fault that it is there for: the checker has to find what is broken
 * then. Prints a line for each; wants a cluster as the faults do (`node e2e/cluster/with-cluster.ts node e2e/faults/kubernetes/break-defences.ts`).
 */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const modules = ['node_modules', 'runner/launch/node/node_modules'];
const copy = await mkdtemp(join(tmpdir(), 'sluice-defences-'));
try {
  const left = new Set([...modules, '.git', 'reports', 'dist']);
  await cp(root, copy, { recursive: true, filter: (path) => !left.has(relative(root, path)) });
  for (const folder of modules) await symlink(join(root, folder), join(copy, folder));
  const wanted = defences.filter(({ name }) => name.includes(process.argv[2] ?? ''));
  for (const defence of wanted) {
    const said = await without(defence);
    const found = said.split('\n').find((line) => defence.says.test(line));
    console.log(`${found === undefined ? 'NOT SEEN' : 'seen'}  ${defence.name}\n      ${(found ?? said).trim()}`);
    if (found === undefined) process.exitCode = 1;
  }
} finally {
  await rm(copy, { recursive: true, force: true });
}

/** What the test prints while the product lacks the defence. */
async function without({ name, edits, suite, test }: Defence): Promise<string> {
  const files = new Map<string, string>();
  for (const { file, from, to } of edits) {
    const path = join(copy, file);
    const text = await readFile(path, 'utf8');
    if (text.split(from).length !== 2) throw new Error(`"${name}" is not to be found in ${file} any more`);
    files.set(path, text);
    await writeFile(
      path,
      text.replace(from, () => to),
    );
  }
  try {
    return await new Promise((resolve) => {
      execFile('ava', [suite, `--match=*${test}*`, '--timeout=10m'], { cwd: copy }, (_, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });
  } finally {
    for (const [path, text] of files) await writeFile(path, text);
  }
}
