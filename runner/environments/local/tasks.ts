import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { startGated } from '../../executors/local/gated-process.ts';
import { OutputPump } from '../../executors/local/output-pipe.ts';
import { killTree, terminateGroups } from '../../executors/local/process-tree.ts';
import type { SiteTask, TaskEnd } from '../site.ts';
import { readText, writeDurably } from './durable-file.ts';
import type { Command, ProcessHost } from './managed-process.ts';

type Task = Omit<SiteTask, 'signal'>;

const shownBytes = 64 * 1024;
const graceMs = 10_000;
/** As a shell tells of a command that was killed, and `timeout` of one that took too long. */
const killedCode = 137;
const lateCode = 124;

/** Tasks by name, each begun at most once: that one is under way, and how one ended, is in a file. */
export class Tasks {
  readonly #folder: string;
  readonly #host: ProcessHost;
  readonly #running = new Map<string, RunningTask>();

  constructor(folder: string, host: ProcessHost) {
    this.#folder = folder;
    this.#host = host;
  }

  run(name: string, task: Task, command: () => Promise<Command>): Promise<TaskEnd> {
    const running = this.#running.get(name);
    if (running !== undefined) return running.end;
    const ending = new AbortController();
    const end = this.end(task.group)
      .then(() => this.#runOnce(name, task, command, ending.signal))
      .finally(() => this.#running.delete(name));
    this.#running.set(name, { group: task.group, stop: () => ending.abort(), end });
    return end;
  }

  /** They may be in the middle of something: their ends are waited for. */
  async end(group: string): Promise<void> {
    const running = [...this.#running.values()].filter((task) => task.group === group);
    for (const { stop } of running) stop();
    await Promise.allSettled(running.map(({ end }) => end));
  }

  async #runOnce(name: string, task: Task, command: () => Promise<Command>, signal: AbortSignal): Promise<TaskEnd> {
    const file = join(this.#folder, `${name}.json`);
    const known = await readText(file);
    if (known !== undefined) return (JSON.parse(known) as { readonly end?: TaskEnd }).end ?? lost;
    const prepared = await command();
    await writeDurably(file, '{}');
    const end = await this.#execute(name, task, prepared, signal);
    await writeDurably(file, JSON.stringify({ end }));
    return end;
  }

  async #execute(name: string, { timeoutMs }: Task, command: Command, signal: AbortSignal): Promise<TaskEnd> {
    const { journal, pipes } = this.#host;
    const marker = journal.markerOf(`task/${name}`);
    const pipe = await pipes.open();
    let output = Buffer.alloc(0);
    const pump = new OutputPump(pipe.reader, (chunk) => {
      output = Buffer.concat([output, chunk]).subarray(-shownBytes);
      return Promise.resolve();
    });
    const started = await startGated({ ...command, marker, output: pipe.writer }).finally(() => closeSync(pipe.writer));
    journal.add(started.identity);
    const groups = [started.identity.pid];
    started.release();
    const stop = (): void => {
      void terminateGroups(groups, AbortSignal.timeout(graceMs)).then(() => killTree({ marker, groups }));
    };
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    for (const wish of [late.signal, signal]) wish.addEventListener('abort', stop);
    if (signal.aborted) stop();
    const end = await started.ended;
    clearTimeout(timer);
    await killTree({ marker, groups });
    await pump.finish();
    const text = output.toString().trim();
    if (late.signal.aborted) {
      return {
        exitCode: lateCode,
        output: `${text}
it took longer than ${timeoutMs / 1000} s and was ended`.trim(),
      };
    }
    return { exitCode: 'code' in end ? end.code : killedCode, output: text };
  }
}

interface RunningTask {
  readonly group: string;
  readonly stop: () => void;
  readonly end: Promise<TaskEnd>;
}

/** Nobody knows how far it came, so it is not begun again. */
const lost: TaskEnd = {
  exitCode: killedCode,
  output: 'it was ended together with the supervisor of the environments of this machine',
};
