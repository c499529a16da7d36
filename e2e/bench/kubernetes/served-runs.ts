import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ProcessWatch } from '../../process-watch.ts';
import { Place } from '../../server/served.ts';
import { provenMs } from './sluice-run.ts';
import type { Report } from './sluice-run.ts';
import type { Cost } from './trial.ts';

const bundle = fileURLToPath(new URL('../../../runtime-images/sluice/bundle.ts', import.meta.url));

/** As the API tells it, of which only this matters here. */
export interface ToldEvent {
  readonly runId: string;
  readonly event: { readonly type: string };
}

/** A server as its image has it, with a repository of pipelines, which it runs by their names. */
export class ServedRuns {
  readonly #place: Place;
  readonly #secret: string;
  readonly #commit: string;
  readonly #watch: ProcessWatch;

  private constructor(place: Place, secret: string, commit: string) {
    this.#place = place;
    this.#secret = secret;
    this.#commit = commit;
    this.#watch = new ProcessWatch(place.pid);
  }

  /** `cleanups` are what takes it away again, the last first. */
  static async open(
    pipelines: Readonly<Record<string, string>>,
    env: NodeJS.ProcessEnv,
    cleanups: (() => unknown)[],
  ): Promise<ServedRuns> {
    const build = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    cleanups.push(() => rmSync(build, { recursive: true, force: true }));
    execFileSync(process.execPath, [bundle, build]);
    const place = await Place.open(
      { teardown: (cleanup) => void cleanups.push(cleanup) },
      { ...env, SLUICE_JOBS: '100', MALLOC_ARENA_MAX: '1' },
      join(build, 'sluice/runner/start.mjs'),
    );
    for (const [name, text] of Object.entries(pipelines))
      await writeFile(join(place.folder, 'work', fileOf(name)), text);
    const commit = await place.push('');
    await place.sluice('repository', 'add', 'bench', '--forge', 'git', '--url', join(place.folder, 'shop.git'));
    const token = (await place.sluice('token', 'create', '--role', 'admin', '--name', 'bench')) as {
      readonly secret: string;
    };
    await place.serve();
    const runs = new ServedRuns(place, token.secret, commit);
    cleanups.push(() => runs.#watch.end());
    return runs;
  }

  /** One run to its good end: what it cost of the server, and what that has after it. */
  async measure(name: string): Promise<Cost> {
    const before = this.#watch.cpuMs;
    const report = await this.run(name, () => undefined);
    return { ms: provenMs(report), cpuMs: this.#watch.cpuMs - before, megabytes: this.#watch.megabytes };
  }

  /** One run to whatever end. `onEvent` hears what happens in it. */
  async run(name: string, onEvent: (told: ToldEvent) => unknown): Promise<Report> {
    const wish = { repository: 'bench', commit: this.#commit, file: fileOf(name) };
    const { runId } = (await (await this.#ask('POST', '/v1/runs', wish)).json()) as { readonly runId: string };
    const { body } = await this.#ask('GET', `/v1/runs/${runId}/events/stream`);
    if (body === null) throw new Error('the events of a run have no body');
    for await (const line of createInterface({ input: Readable.fromWeb(body) })) {
      if (line.startsWith('data: ')) await onEvent(JSON.parse(line.slice('data: '.length)) as ToldEvent);
    }
    return (await (await this.#ask('GET', `/v1/runs/${runId}`)).json()) as Report;
  }

  async cancel(runId: string): Promise<void> {
    await this.#ask('POST', `/v1/runs/${runId}/cancel`);
  }

  /** Resident memory, MB. */
  get megabytes(): number {
    return this.#watch.megabytes;
  }

  async #ask(method: 'GET' | 'POST', path: string, wish?: object): Promise<Response> {
    const authorization = `Bearer ${this.#secret}`;
    const response = await fetch(`${this.#place.url}${path}`, {
      method,
      headers: { authorization, ...(wish && { 'content-type': 'application/json' }) },
      ...(wish && { body: JSON.stringify(wish) }),
    });
    if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${await response.text()}`);
    return response;
  }
}

function fileOf(name: string): string {
  return `${name}.yaml`;
}
