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
  readonly #running = new Map<string, Promise<TaskEnd>>();
  /** How to end what is under way, by group. */
  readonly #groups = new Map<string, { readonly name: string; readonly end: () => Promise<void> }>();

  constructor(folder: string, host: ProcessHost) {
    this.#folder = folder;
    this.#host = host;
  }

  run(name: string, task: Task, command: () => Promise<Command>): Promise<TaskEnd> {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    const begun = this.#runOnce(name, task, command).finally(() => this.#running.delete(name));
    this.#running.set(name, begun);
    return begun;
  }

  async #runOnce(name: string, task: Task, command: () => Promise<Command>): Promise<TaskEnd> {
    const file = join(this.#folder, `${name}.json`);
    const known = await readText(file);
    await this.#endOthers(task);
    if (known !== undefined) return (JSON.parse(known) as { readonly end?: TaskEnd }).end ?? lost;
    const prepared = await command();
    await writeDurably(file, '{}');
    const end = await this.#execute(name, task, prepared);
    await writeDurably(file, JSON.stringify({ end }));
    return end;
  }

  async #endOthers({ name, group }: Task): Promise<void> {
    const other = this.#groups.get(group);
    if (other === undefined || other.name === name) return;
    await other.end();
    await this.#running.get(other.name)?.catch(() => undefined);
  }

  async #execute(name: string, { group, timeoutMs }: Task, command: Command): Promise<TaskEnd> {
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
    const late = new AbortController();
    const stop = async (): Promise<void> => {
      await terminateGroups(groups, AbortSignal.timeout(graceMs));
      await killTree({ marker, groups });
    };
    const timer = setTimeout(() => {
      late.abort();
      void stop();
    }, timeoutMs);
    const own = { name, end: stop };
    this.#groups.set(group, own);
    const end = await started.ended;
    if (this.#groups.get(group) === own) this.#groups.delete(group);
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

/** Nobody knows how far it came, so it is not begun again. */
const lost: TaskEnd = {
  exitCode: killedCode,
  output: 'it was ended together with the supervisor of the environments of this machine',
};
