import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Json } from '../model/json.ts';
import type { AttemptKey } from '../model/result.ts';
import { reasons } from '../model/outcome.ts';
import type { AttemptOutcome, AttemptSpec, Executor, StopReason } from './executor.ts';
import { Recorder } from './testing/recorder.ts';
import { specOf, stepOf } from './testing/spec-of.ts';

/** An executor under test, with two seconds of grace at most. */
export interface Subject {
  readonly executor: Executor;
  /** Names of the variables that every step finds, besides those that this contract lists. */
  readonly baseNames: readonly string[];
  /** What is still there of attempts that have ended: folders, volumes, pods. Asked after `close`. */
  readonly leftovers: () => Promise<readonly string[]>;
  /** Begins the attempt in a runner of its own, kills that once its first output was logged, and answers the place. */
  readonly abandon: (spec: AttemptSpec) => Promise<Readonly<Record<string, Json>>>;
}

type Create = () => Promise<Subject>;

/** Every executor that runs real commands passes this, unchanged. */
export function executorContract(create: Create): void {
  lifecycleContract(create);
  endings(create);
  environment(create);
  files(create);
  output(create);
  stopping(create);
  remains(create);
}

/**
 * The part that needs no shell: every executor passes it, one without processes too. Its scripts know three commands,
 * `echo WORD`, `exit CODE` and `sleep SECONDS`, with semicolons between them.
 */
export function lifecycleContract(create: Create): void {
  test('exit code 0 succeeds', async (t) => {
    const { outcome } = await run(create, specOf(stepOf('true')));
    t.is(outcome.outcome, 'succeeded');
    t.is(outcome.exitCode, 0);
    t.true((outcome.startedAt ?? 0) <= (outcome.finishedAt ?? -1));
  });

  test('another exit code fails and is told', async (t) => {
    const { outcome } = await run(create, specOf(stepOf('exit 3')));
    t.like(outcome, { outcome: 'failed', reason: 'exit_code', exitCode: 3 });
  });

  test('a log that cannot be written ends the command and rejects', async (t) => {
    const { command, isRunning } = uniqueSleep();
    const seen = new Recorder();
    seen.take = () => Promise.reject(new Error('disk full'));
    await t.throwsAsync(run(create, specOf(stepOf(`echo x; ${command}`)), seen), { message: 'disk full' });
    t.false(isRunning());
  });

  test('a step that is stopped before it began never begins', async (t) => {
    const seen = new Recorder(AbortSignal.abort('cancelled'));
    const { outcome, leftovers } = await run(create, specOf(stepOf('echo ran')), seen);
    t.like(outcome, { outcome: 'cancelled', reason: 'cancelled' });
    t.is(seen.text, '');
    t.deepEqual(leftovers, []);
  });

  test('a place that cannot be recorded keeps the command from running', async (t) => {
    const seen = new Recorder();
    seen.placed = () => Promise.reject(new Error('store is gone'));
    const { executor } = await create();
    const spec = specOf(stepOf('echo ran'));
    await t.throwsAsync(executor.execute(spec, seen), { message: 'store is gone' });
    executor.release(keyOf(spec));
    await executor.close();
    t.is(seen.text, '');
  });

  test('a lost attempt that never came to a place is `runner_lost`, or begins where attempts outlive their runner', async (t) => {
    const { executor } = await create();
    const spec = specOf(stepOf('true'));
    const { outcome, reason } = await executor.recover(spec, undefined, new Recorder());
    t.deepEqual([outcome, reason], executor.resumes ? ['succeeded', undefined] : ['errored', 'runner_lost']);
    executor.release(keyOf(spec));
    await executor.close();
  });

  for (const reason of ['cancelled', 'interrupted', 'superseded', 'run_timeout', 'log_limit'] satisfies StopReason[]) {
    test(`a step that is stopped ends as ${reason}`, async (t) => {
      const { command, isRunning } = uniqueSleep();
      const controller = new AbortController();
      const seen = new Recorder(controller.signal);
      const ending = run(create, specOf(stepOf(`echo up; ${command}`)), seen);
      await until(t, 'the command runs', () => seen.text === 'up\n');
      controller.abort(reason);
      const { outcome } = await ending;
      t.like(outcome, { outcome: reasons[reason].outcome, reason });
      t.false(isRunning());
    });
  }

  test('a step that runs longer than its timeout fails by it', async (t) => {
    const { outcome, seen } = await run(create, specOf(stepOf('echo up; sleep 600', { timeoutMs: 400 })));
    t.like(outcome, { outcome: 'failed', reason: 'timeout' });
    t.is(seen.text, 'up\n');
  });

  test('close ends what is under way and may be called twice', async (t) => {
    const { command, isRunning } = uniqueSleep();
    const { executor, leftovers } = await create();
    const seen = new Recorder();
    const ending = executor.execute(specOf(stepOf(`echo up; ${command}`)), seen);
    await until(t, 'the command runs', () => seen.text === 'up\n');
    await Promise.all([executor.close(), executor.close()]);
    t.false(isRunning());
    t.is((await ending).reason, 'interrupted');
    await executor.close();
    t.deepEqual(await leftovers(), []);
  });

  test('nothing begins after close', async (t) => {
    const { executor, leftovers } = await create();
    await executor.close();
    const seen = new Recorder();
    t.is((await executor.execute(specOf(stepOf('echo ran')), seen)).reason, 'interrupted');
    t.is(seen.text, '');
    await executor.close();
    t.deepEqual(await leftovers(), []);
  });
}

interface Ran {
  readonly outcome: AttemptOutcome;
  readonly seen: Recorder;
  readonly leftovers: readonly string[];
}

/** Runs one attempt on an executor of its own and closes that. */
async function run(create: Create, spec: AttemptSpec, seen = new Recorder()): Promise<Ran> {
  const subject = await create();
  try {
    const outcome = await subject.executor.execute(spec, seen);
    subject.executor.release(keyOf(spec));
    await subject.executor.close();
    return { outcome, seen, leftovers: await subject.leftovers() };
  } finally {
    subject.executor.release(keyOf(spec));
    await subject.executor.close();
  }
}

function keyOf({ runId, step, attempt }: AttemptSpec): AttemptKey {
  return { runId, step: step.id, attempt };
}

/** A sleep that no other test runs, and whether it still runs. */
function uniqueSleep(): { readonly command: string; readonly isRunning: () => boolean } {
  const command = `sleep 9${Math.floor(Math.random() * 1e9)}.${Math.floor(Math.random() * 1e9)}`;
  return { command, isRunning: () => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(command) };
}

/** Waits, for half a minute at most, until something is so. */
async function until(t: ExecutionContext, what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1_500; tries += 1) {
    if (isSo()) return;
    await sleep(20);
  }
  t.fail(`waited in vain until ${what}`);
}

function endings(create: Create): void {
  test('a command ended by a signal that is not ours is `signalled`', async (t) => {
    const { outcome } = await run(create, specOf(stepOf('kill -KILL $$')));
    t.like(outcome, { outcome: 'failed', reason: 'signalled', signal: 'SIGKILL' });
    t.is(outcome.exitCode, undefined);
  });

  test('a command that does not exist ends with 127 and the words of the shell', async (t) => {
    const { outcome, seen } = await run(create, specOf(stepOf('no-such-command-here')));
    t.like(outcome, { outcome: 'failed', reason: 'exit_code', exitCode: 127 });
    t.regex(seen.text, /no-such-command-here.*not found/);
  });

  test('a file that may not be executed ends with 126', async (t) => {
    const { outcome } = await run(create, specOf(stepOf('echo true > tool; ./tool')));
    t.like(outcome, { outcome: 'failed', reason: 'exit_code', exitCode: 126 });
  });

  for (const shell of ['sh', 'bash'] as const) {
    test(`a script for ${shell} stops at the first line that fails`, async (t) => {
      const { outcome, seen } = await run(create, specOf(stepOf('echo one\nfalse\necho two', { shell })));
      t.is(outcome.exitCode, 1);
      t.is(seen.text, 'one\n');
    });
  }

  test('in bash a pipeline fails with any of its commands', async (t) => {
    const { outcome } = await run(create, specOf(stepOf('false | cat', { shell: 'bash' })));
    t.is(outcome.exitCode, 1);
  });

  test('a syntax error is told in the log', async (t) => {
    const { outcome, seen } = await run(create, specOf(stepOf('if true; then (')));
    t.is(outcome.reason, 'exit_code');
    t.regex(seen.text, /[Ss]yntax error/);
  });

  test('a script that kills its own process group ends by that signal, alone', async (t) => {
    const { outcome } = await run(create, specOf(stepOf('kill -KILL 0')));
    t.like(outcome, { reason: 'signalled', signal: 'SIGKILL' });
  });
}

function environment(create: Create): void {
  const own = ['SLUICE', 'SLUICE_RUN', 'SLUICE_STEP', 'SLUICE_ATTEMPT', 'SLUICE_OUTPUT'];
  const system = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'SHELL', 'TERM', 'CI'];
  const shells = ['PWD', 'OLDPWD', 'SHLVL', '_'];

  test('the environment holds what is declared, the documented base, and nothing else', async (t) => {
    const subject = await create();
    const seen = new Recorder();
    const step = stepOf('env', { env: { DECLARED: 'x' } });
    const spec = specOf(step, { secrets: { TOKEN: 'y' } });
    await subject.executor.execute(spec, seen);
    subject.executor.release(keyOf(spec));
    await subject.executor.close();
    const names = [...seen.text.matchAll(/^(\w+)=/gm)].map(([, name]) => name ?? '');
    const expected = [...own, ...system, ...subject.baseNames, 'DECLARED', 'TOKEN'];
    t.deepEqual(names.filter((name) => !shells.includes(name)).toSorted(), [...new Set(expected)].toSorted());
  });

  test('values arrive as they are and never become code', async (t) => {
    const value = `$(echo no) \`no\` "'\\ \n $HOME äß`;
    const script = 'printf %s "$VALUE"; printf %s "$SECRET"';
    const spec = specOf(stepOf(script, { env: { VALUE: value } }), { secrets: { SECRET: value } });
    const { seen } = await run(create, spec);
    t.is(seen.text, value + value);
  });

  test('a step knows its run, its name and its attempt', async (t) => {
    const spec = specOf(stepOf('echo $SLUICE $SLUICE_RUN $SLUICE_STEP $SLUICE_ATTEMPT', { id: 'unit:22' }), {
      attempt: 4,
    });
    const { seen } = await run(create, spec);
    t.is(seen.text, `true ${spec.runId} unit:22 4\n`);
  });

  test('our own variables cannot be replaced', async (t) => {
    const env = { SLUICE_OUTPUT: '/elsewhere', SLUICE_RUN: 'other' };
    const { outcome, seen } = await run(create, specOf(stepOf('echo $SLUICE_RUN; echo a=1 > $SLUICE_OUTPUT', { env })));
    t.is(outcome.output, 'a=1\n');
    t.notRegex(seen.text, /other/);
  });

  test('a value that cannot be rendered ends the attempt before its command', async (t) => {
    const seen = new Recorder();
    seen.render = () => {
      throw new Error('no such service: db');
    };
    const { outcome } = await run(create, specOf(stepOf('echo ran', { env: { A: 'x' } })), seen);
    t.like(outcome, { outcome: 'failed', reason: 'expression_error', message: 'no such service: db' });
    t.is(seen.text, '');
  });

  test('stdin is empty', async (t) => {
    const { outcome, seen } = await run(create, specOf(stepOf('cat; read -r line || echo end')));
    t.is(seen.text, 'end\n');
    t.is(outcome.exitCode, 0);
  });

  test('HOME and TMPDIR are empty folders that can be written', async (t) => {
    const { seen } = await run(
      create,
      specOf(stepOf('ls -A "$HOME" "$TMPDIR" | grep -v : ; touch "$HOME/a" "$TMPDIR/b"; echo done')),
    );
    t.is(seen.text.trim(), 'done');
  });

  test('the command starts in its folder of the workspace', async (t) => {
    const seen = new Recorder();
    const layers = [{ from: '', blob: await seen.blobs.tar({ 'sub/dir/file': 'x' }) }];
    await run(create, specOf(stepOf('ls', { workdir: 'sub/dir' }), { layers }), seen);
    t.is(seen.text, 'file\n');
  });

  test('a folder to start in that does not exist is a `start_error` that names it', async (t) => {
    const { outcome } = await run(create, specOf(stepOf('true', { workdir: 'nowhere' })));
    t.like(outcome, { outcome: 'failed', reason: 'start_error' });
    t.regex(outcome.message ?? '', /nowhere/);
  });

  test('a link does not lead the command out of the workspace', async (t) => {
    const seen = new Recorder();
    const first = await run(create, specOf(stepOf('mkdir d; ln -s /tmp d/l; exit 1')), seen);
    t.is(first.outcome.outcome, 'failed');
    const { outcome } = await run(create, specOf(stepOf('true', { workdir: '../..' })));
    t.is(outcome.reason, 'unsafe_path');
  });
}

function files(create: Create): void {
  test('the workspace is the commit, with what needed steps hand over laid over it', async (t) => {
    const seen = new Recorder();
    const layers = [
      { from: '', blob: await seen.blobs.tar({ 'a.txt': 'commit', 'b.txt': 'commit' }) },
      { from: 'build', blob: await seen.blobs.tar({ 'b.txt': 'built' }) },
      { from: 'docs', blob: await seen.blobs.tar({ 'c.txt': 'docs' }) },
    ];
    await run(create, specOf(stepOf('cat a.txt; cat b.txt; cat c.txt'), { layers }), seen);
    t.is(seen.text, 'commitbuiltdocs');
  });

  test('two steps that hand over the same path are a conflict that names both and the path', async (t) => {
    const seen = new Recorder();
    const layers = [
      { from: '', blob: await seen.blobs.tar({ 'a.txt': 'commit' }) },
      { from: 'build', blob: await seen.blobs.tar({ 'dist/x': '1' }) },
      { from: 'docs', blob: await seen.blobs.tar({ 'dist/x': '2' }) },
    ];
    const { outcome } = await run(create, specOf(stepOf('echo ran'), { layers }), seen);
    t.like(outcome, { outcome: 'failed', reason: 'output_conflict' });
    for (const word of ['build', 'docs', 'dist/x']) t.true(outcome.message?.includes(word));
    t.is(seen.text, '');
  });

  test("a workspace that cannot be made is our fault, not the command's", async (t) => {
    const { outcome } = await run(create, specOf(stepOf('true'), { layers: [{ from: '', blob: '0'.repeat(64) }] }));
    t.like(outcome, { outcome: 'errored', reason: 'workspace_failed' });
  });

  test('a step that is stopped while its workspace is made never begins', async (t) => {
    const controller = new AbortController();
    const seen = new Recorder(controller.signal);
    const layers = [{ from: '', blob: await seen.blobs.tar({ 'a.txt': 'x' }) }];
    const open = seen.blobs.open.bind(seen.blobs);
    seen.blobs.open = (sha256) => {
      controller.abort('cancelled');
      return open(sha256);
    };
    const { outcome } = await run(create, specOf(stepOf('echo ran'), { layers }), seen);
    t.is(outcome.reason, 'cancelled');
    t.is(seen.text, '');
  });

  test('a step that fails still delivers its artefacts and reports, by content', async (t) => {
    const script =
      'mkdir -p out reports; printf hello > out/a.txt; printf x > reports/r.xml; chmod 755 out/a.txt; exit 1';
    const step = stepOf(script, {
      artifacts: [{ path: 'out/**', required: true }],
      junit: { paths: ['reports/*.xml'], allowEmpty: false },
    });
    const { outcome, seen } = await run(create, specOf(step));
    t.is(outcome.reason, 'exit_code');
    const found = outcome.files.map(({ kind, path, bytes, sha256 }) => [kind, path, bytes, seen.blobs.text(sha256)]);
    t.deepEqual(found.toSorted(), [
      ['artifact', 'out/a.txt', 5, 'hello'],
      ['junit', 'reports/r.xml', 1, 'x'],
    ]);
    t.is((outcome.files.find((file) => file.kind === 'artifact')?.mode ?? 0) & 0o777, 0o755);
  });

  test('a report counts when the command or a needed step wrote it, and not when the commit has it', async (t) => {
    const step = (script: string): ReturnType<typeof stepOf> =>
      stepOf(script, { junit: { paths: ['**/*.xml'], allowEmpty: false } });
    const reportsOf = async (script: string): Promise<readonly [readonly string[], string]> => {
      const seen = new Recorder();
      const layers = [
        {
          from: '',
          blob: await seen.blobs.tar({ 'kept.xml': 'commit', 'written.xml': 'commit', 'made.xml': 'commit' }),
        },
        { from: 'made', blob: await seen.blobs.tar({ 'made.xml': 'handed over' }) },
      ];
      const { outcome } = await run(create, specOf(step(script), { layers }), seen);
      t.is(outcome.outcome, 'succeeded');
      return [outcome.files.map(({ path }) => path), seen.notes.join()];
    };
    const [written, remarks] = await reportsOf('echo new > written.xml; echo new > new.xml; touch -d @0 new.xml');
    t.deepEqual(written.toSorted(), ['made.xml', 'new.xml', 'written.xml']);
    t.regex(remarks, /not counted.*kept\.xml/);
    t.deepEqual((await reportsOf('true'))[0], ['made.xml']);
  });

  test('a required artefact that is missing turns green to red and is named; an optional one is a remark', async (t) => {
    const artifacts = [
      { path: 'must/**', required: true },
      { path: 'may/**', required: false },
    ];
    const { outcome, seen } = await run(create, specOf(stepOf('true', { artifacts })));
    t.like(outcome, { outcome: 'failed', reason: 'artifact_missing', exitCode: 0 });
    t.true(outcome.message?.includes('must/**'));
    t.true(seen.notes.some((note) => note.includes('may/**')));
  });

  test('files that are larger in all than they may be turn green to red', async (t) => {
    const artifacts = [{ path: '*', required: true }];
    const [fits, exceeds] = await Promise.all(
      [2_000, 1_999].map((most) => {
        const seen = new Recorder();
        seen.maxUploadBytes = most;
        const write = 'head -c 1000 /dev/zero > a; head -c 1000 /dev/zero > b';
        return run(create, specOf(stepOf(write, { artifacts })), seen);
      }),
    );
    t.like(fits?.outcome, { outcome: 'succeeded' });
    t.like(exceeds?.outcome, { outcome: 'failed', reason: 'upload_limit', exitCode: 0 });
  });

  test('the reason of a command that failed is not hidden by a missing artefact', async (t) => {
    const { outcome } = await run(create, specOf(stepOf('exit 9', { artifacts: [{ path: 'must', required: true }] })));
    t.like(outcome, { reason: 'exit_code', exitCode: 9 });
  });

  test('a link out of the workspace is never followed', async (t) => {
    const step = stepOf('mkdir out; ln -s /etc/passwd out/users', { artifacts: [{ path: 'out/**', required: false }] });
    const { outcome } = await run(create, specOf(step));
    t.like(outcome, { outcome: 'failed', reason: 'unsafe_path' });
    t.true(outcome.message?.includes('out/users'));
    t.deepEqual(outcome.files, []);
  });

  test('what is written to $SLUICE_OUTPUT comes back as it is', async (t) => {
    const { outcome } = await run(
      create,
      specOf(stepOf('echo a=1 >> $SLUICE_OUTPUT; echo b=2 >> $SLUICE_OUTPUT; exit 1')),
    );
    t.is(outcome.output, 'a=1\nb=2\n');
  });

  for (const [what, script] of [
    ['too large', 'head -c 65537 /dev/zero > $SLUICE_OUTPUT'],
    ['a link', 'ln -sf /etc/passwd $SLUICE_OUTPUT'],
    ['a named pipe', 'rm $SLUICE_OUTPUT; mkfifo $SLUICE_OUTPUT'],
    ['gone', 'rm $SLUICE_OUTPUT'],
  ] as const) {
    test(`an output file that is ${what} is invalid`, async (t) => {
      const { outcome } = await run(create, specOf(stepOf(script)));
      t.like(outcome, { outcome: 'failed', reason: 'output_invalid', output: '' });
    });
  }

  test('files are handed over after success, and make the next workspace', async (t) => {
    const seen = new Recorder();
    const step = stepOf('mkdir dist; echo built > dist/app; echo no > other', {
      outputs: { paths: ['dist/**'], values: [] },
    });
    const { outcome } = await run(create, specOf(step), seen);
    const blob = outcome.handover ?? '';
    t.deepEqual(await seen.blobs.members(blob), ['dist/app']);
    const next = new Recorder(undefined, seen.blobs);
    await run(create, specOf(stepOf('cat dist/app'), { layers: [{ from: 'build', blob }] }), next);
    t.is(next.text, 'built\n');
  });

  test('nothing is handed over by a command that failed', async (t) => {
    const step = stepOf('echo x > file; exit 1', { outputs: { paths: ['file'], values: [] } });
    const { outcome } = await run(create, specOf(step));
    t.is(outcome.handover, undefined);
  });

  test('files to hand over that do not exist turn green to red', async (t) => {
    const { outcome } = await run(create, specOf(stepOf('true', { outputs: { paths: ['dist/**'], values: [] } })));
    t.like(outcome, { outcome: 'failed', reason: 'output_missing' });
    t.true(outcome.message?.includes('dist/**'));
  });

  test('a cache is saved once after success and restored from then on', async (t) => {
    const paths = ['~/.tool', 'node_modules'];
    const seen = new Recorder();
    const fill = 'mkdir -p ~/.tool node_modules; echo home > ~/.tool/a; echo work > node_modules/b';
    const first = await run(create, specOf(stepOf(fill), { caches: [{ key: 'k', paths }] }), seen);
    const blob = first.outcome.caches['k'] ?? '';
    const again = new Recorder(undefined, seen.blobs);
    const use = 'cat ~/.tool/a node_modules/b; echo changed > ~/.tool/a';
    const second = await run(create, specOf(stepOf(use), { caches: [{ key: 'k', paths, blob }] }), again);
    t.is(again.text, 'home\nwork\n');
    t.deepEqual(second.outcome.caches, {});
  });

  test('a command that failed leaves no cache', async (t) => {
    const caches = [{ key: 'k', paths: ['dir'] }];
    const { outcome } = await run(create, specOf(stepOf('mkdir dir; echo x > dir/a; exit 1'), { caches }));
    t.deepEqual(outcome.caches, {});
  });
}

function output(create: Create): void {
  test('stdout and stderr come in the order in which they were written', async (t) => {
    const script = 'i=0; while [ $i -lt 300 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done';
    const { seen } = await run(create, specOf(stepOf(script)));
    t.is(seen.text, Array.from({ length: 300 }, (_, index) => `out ${index}\nerr ${index}\n`).join(''));
  });

  test('/dev/stdout and /dev/stderr can be opened', async (t) => {
    const { seen } = await run(
      create,
      specOf(stepOf('echo a > /dev/stderr; echo b > /dev/stdout; echo c | tee /dev/stderr')),
    );
    t.is(seen.text, 'a\nb\nc\nc\n');
  });

  test('a line of a megabyte arrives whole', async (t) => {
    const { seen } = await run(create, specOf(stepOf("head -c 1048576 /dev/zero | tr '\\0' x; echo")));
    t.is(seen.text, `${'x'.repeat(1_048_576)}\n`);
  });

  test('bytes that are no text arrive as they are', async (t) => {
    const { seen } = await run(create, specOf(stepOf("printf '\\000\\377\\376\\200\\n\\r\\033[0m'")));
    t.deepEqual([...seen.bytes], [0, 255, 254, 128, 10, 13, 27, 91, 48, 109]);
  });

  test('the log of a command that was silent for long before its end is complete', async (t) => {
    const { outcome } = await run(create, specOf(stepOf('echo said; sleep 3')));
    t.is(outcome.outcome, 'succeeded');
    t.not(outcome.logComplete, false);
  });

  test('50 MB of output pass no faster than they are taken, one piece after the other', async (t) => {
    const seen = new Recorder();
    const counts = { bytes: 0, now: 0, most: 0 };
    const opened = Promise.withResolvers<undefined>();
    seen.take = async (chunk) => {
      counts.now += 1;
      counts.most = Math.max(counts.most, counts.now);
      await opened.promise;
      counts.bytes += chunk.length;
      counts.now -= 1;
    };
    const ending = run(create, specOf(stepOf('head -c 52428800 /dev/zero; echo all written > $SLUICE_OUTPUT')), seen);
    const winner = await Promise.race([ending.then(() => 'ended'), sleep(500, 'held back')]);
    t.is(winner, 'held back');
    opened.resolve(undefined);
    const { outcome } = await ending;
    t.is(outcome.output, 'all written\n');
    t.is(counts.bytes, 52_428_800);
    t.is(counts.most, 1);
  });
}

function stopping(create: Create): void {
  test('a step that takes too long gets TERM, and fails even if it then ends well', async (t) => {
    const script = "trap 'echo asked to stop; exit 0' TERM; sleep 600 & wait";
    const { outcome, seen } = await run(create, specOf(stepOf(script, { timeoutMs: 400 })));
    t.like(outcome, { outcome: 'failed', reason: 'timeout' });
    t.is(seen.text, 'asked to stop\n');
  });

  test('a step that ignores TERM is killed after the grace', async (t) => {
    const { command, isRunning } = uniqueSleep();
    const { outcome } = await run(create, specOf(stepOf(`trap '' TERM; ${command}`, { timeoutMs: 300 })));
    t.like(outcome, { outcome: 'failed', reason: 'timeout', signal: 'SIGKILL' });
    t.false(isRunning());
  });

  test('children may finish what they do on TERM although the shell is gone', async (t) => {
    const script = `sh -c "trap 'sleep 0.2; echo cleaned up; exit 0' TERM; echo up; while :; do sleep 0.05; done"; true`;
    const { seen } = await run(create, specOf(stepOf(script, { timeoutMs: 500 })));
    t.regex(seen.text, /^up\n(Terminated\n)?cleaned up\n$/);
  });

  test('a step that is stopped still delivers what it has written', async (t) => {
    const artifacts = [{ path: 'a.txt', required: false }];
    const { outcome } = await run(create, specOf(stepOf('echo x > a.txt; sleep 600', { artifacts, timeoutMs: 500 })));
    t.deepEqual(
      outcome.files.map((file) => file.path),
      ['a.txt'],
    );
  });
}

function remains(create: Create): void {
  for (const [what, start] of [
    ['in the background', (command: string) => `${command} &`],
    ['with its output closed', (command: string) => `${command} > /dev/null 2>&1 &`],
    ['in a session of its own', (command: string) => `setsid ${command} &`],
    ['by a double fork', (command: string) => `(setsid sh -c '${command} & exit' &)`],
    ['with an empty environment', (command: string) => `env -i ${command} &`],
  ] as const) {
    test(`a process left ${what} does not outlive the step, nor delay its end`, async (t) => {
      const { command, isRunning } = uniqueSleep();
      const { outcome, seen, leftovers } = await run(create, specOf(stepOf(`${start(command)}\nsleep 0.2; echo end`)));
      t.is(outcome.outcome, 'succeeded');
      t.is(seen.text, 'end\n');
      t.false(isRunning());
      t.deepEqual(leftovers, []);
    });
  }

  test('what a script writes just before its end is not lost', async (t) => {
    const { seen } = await run(create, specOf(stepOf('head -c 60000 /dev/zero; exec true')));
    t.is(seen.bytes.length, 60_000);
  });

  test('nothing is left of an attempt, read-only folders included', async (t) => {
    const { leftovers } = await run(
      create,
      specOf(stepOf('mkdir -p ro/deep; touch ro/deep/f; chmod -R a-w ro; exit 1')),
    );
    t.deepEqual(leftovers, []);
  });

  test('the place is told before the command has any effect', async (t) => {
    const { seen } = await run(create, specOf(stepOf('date +%s%3N')));
    t.true(seen.places.length > 0);
    t.true(Number(seen.text) >= seen.placedAt);
  });

  for (const [what, placeOf] of [
    ['', (place: Readonly<Record<string, Json>>) => place],
    [' although its place was never recorded', () => undefined],
  ] as const) {
    test(`R000-21 a lost attempt goes on or is \`runner_lost\`, and then nothing of it runs any more${what}`, async (t) => {
      const { command, isRunning } = uniqueSleep();
      const { executor, abandon, leftovers } = await create();
      const spec = specOf(stepOf(`(setsid ${command} &) ; ${command} & echo up; sleep 3; echo end`));
      const place = await abandon(spec);
      t.true(isRunning());
      const seen = new Recorder();
      const { outcome, reason } = await executor.recover(spec, placeOf(place), seen);
      t.deepEqual([outcome, reason], executor.resumes ? ['succeeded', undefined] : ['errored', 'runner_lost']);
      t.is(seen.text, executor.resumes ? 'up\nend\n' : '');
      t.false(isRunning());
      executor.release(keyOf(spec));
      await executor.close();
      t.deepEqual(await leftovers(), []);
    });
  }

  test('two executors at once do not disturb each other', async (t) => {
    const [one, other] = await Promise.all([create(), create()]);
    const goOn = new AbortController();
    const seen = new Recorder(goOn.signal);
    const spec = specOf(stepOf("trap 'echo end; exit 0' TERM; echo up; while :; do sleep 0.05; done"));
    const long = other.executor.execute(spec, seen);
    await until(t, 'the other runs', () => seen.text === 'up\n');
    const specs = Array.from({ length: 5 }, () => specOf(stepOf('echo x; touch y')));
    const outcomes = await Promise.all(specs.map((own) => one.executor.execute(own, new Recorder())));
    t.true(outcomes.every((outcome) => outcome.outcome === 'succeeded'));
    for (const own of specs) one.executor.release(keyOf(own));
    await one.executor.close();
    await one.executor.execute(specOf(stepOf('true')), new Recorder()).catch(() => undefined);
    goOn.abort('cancelled');
    t.is((await long).reason, 'cancelled');
    t.regex(seen.text, /^up\n(Terminated\n)?end\n$/);
    other.executor.release(keyOf(spec));
    await other.executor.close();
  });
}
