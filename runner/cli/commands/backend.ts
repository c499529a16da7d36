import { setTimeout as sleep } from 'node:timers/promises';
import { Argument } from 'commander';
import { known } from '../../environments/backends.ts';
import type { Backends, Drift, RunningEnvironment } from '../../environments/backends.ts';
import { deleteBackend, sentenceOf } from '../../gates/backends/delete.ts';
import { deletePreview } from '../../gates/backends/delete-preview.ts';
import { driftOfBackend, reconcileBackend } from '../../gates/backends/reconcile.ts';
import { rollBackProduction } from '../../gates/backends/roll-back.ts';
import { backendStatus } from '../../gates/backends/status.ts';
import type { BackendStatus } from '../../gates/backends/status.ts';
import { toldBackend, toldStatus } from '../../gates/backends/tell.ts';
import { SluiceError } from '../../model/errors.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { printProblems } from '../print-problems.ts';
import { prepareOptions } from '../run-options.ts';
import type { Session } from '../session.ts';
import { tableLines } from '../view/table-lines.ts';

const goneLookMs = 500;
const goneMs = 300_000;

interface BackendOptions {
  readonly file: string;
  readonly repository?: string;
  readonly unprotected?: boolean;
  readonly reason: string;
  readonly confirm: string;
}

type Deed = (
  session: Session,
  backends: Backends,
  name: string,
  options: BackendOptions & { readonly preview: string },
) => Promise<ExitCode>;

export const defineBackend: Define = (command) => {
  command
    .addArgument(new Argument('<action>', 'what to do').choices(['create', 'list', ...Object.keys(deeds)]))
    .argument('[name]', 'name of the backend; `create` takes it from the pipeline file')
    .argument('[preview]', 'delete-preview: name of the preview, as `show` tells it')
    .option('--file <path>', 'create: pipeline file inside the repository', 'sluice.yaml')
    .option('--repository <name>', 'create: name by which a server knows the repository (default: as `run` names it)')
    .option('--unprotected', 'create: it may be deleted')
    .option('--reason <text>', 'rollback: why, for the record', '')
    .option('--confirm <name>', 'delete: the name once more', '')
    .addHelpText(
      'after',
      '\nBackends are those of this machine, or with SLUICE_EXECUTOR=kubernetes those of the cluster. drift changes nothing; reconcile puts right what it shows; rollback takes the live release back to the one before it; delete refuses what is protected, and waits until it is gone; delete-preview removes a preview before its time.',
    );
  return async (session) => {
    const [action = '', name, preview = ''] = command.args;
    const options = command.opts<BackendOptions>();
    const deed = deeds[action];
    if (deed !== undefined && name === undefined)
      throw new SluiceError('ERR_USAGE', 'the name of the backend is missing');
    const backends = await session.backends();
    try {
      if (action === 'create') return await create(session, backends, options);
      return deed === undefined
        ? await list(session, backends)
        : await deed(session, backends, name ?? '', { ...options, preview });
    } finally {
      await backends.close();
    }
  };
};

/** What the next run would claim, before there is one. */
async function create(session: Session, backends: Backends, options: BackendOptions): Promise<ExitCode> {
  const { engine } = await session.open();
  const prepared = await engine.prepare(prepareOptions('.', { file: options.file, event: 'manual' }, session));
  if (!prepared.ok) {
    printProblems(prepared.problems, session);
    return exitCodes.usage;
  }
  const { plan, request } = prepared.value;
  if (plan.backend === undefined) {
    throw new SluiceError('ERR_USAGE', `${options.file} describes no backend`, {
      hint: 'Write `backend: { name: …, services: … }`, which says what this repository deploys.',
    });
  }
  const owned = { backend: plan.backend, repository: options.repository ?? request.repository };
  const made = toldBackend(await backends.ensure(owned, options.unprotected !== true));
  if (session.json) session.printJson(made);
  else session.print(`The backend ${made.name} is there. See: sluice backend show ${made.name}`);
  return exitCodes.succeeded;
}

async function list(session: Session, backends: Backends): Promise<ExitCode> {
  const all = (await backends.list()).map(toldBackend);
  if (session.json) session.printJson({ backends: all });
  else if (all.length === 0) session.note('No backend yet. Make one with: sluice backend create');
  else {
    const rows = all.map(({ name, repository, state }) => [name, repository, state]);
    session.print(tableLines(['BACKEND', 'REPOSITORY', 'STATE'], rows, session.palette).join('\n'));
  }
  return exitCodes.succeeded;
}

const deeds: Readonly<Record<string, Deed>> = {
  show: async (session, backends, name) => {
    const status = await backendStatus(backends, await known(backends, name));
    if (session.json) session.printJson(toldStatus(status));
    else session.print(statusLines(status).join('\n'));
    return exitCodes.succeeded;
  },
  drift: async (session, backends, name) => {
    const drift = await driftOfBackend(backends, await known(backends, name));
    if (session.json) session.printJson({ drift });
    else if (drift.length === 0) session.note('Everything is as Sluice made it.');
    else session.print(drift.map(driftLine).join('\n'));
    return drift.length === 0 ? exitCodes.succeeded : exitCodes.failed;
  },
  reconcile: async (session, backends, name) => {
    const drift = await reconcileBackend(backends, await known(backends, name));
    if (session.json) session.printJson({ drift });
    else session.print([...drift.map(driftLine), `${name} is as Sluice made it again.`].join('\n'));
    return exitCodes.succeeded;
  },
  rollback: async (session, backends, name, { reason }) => {
    const site = await backends.site((await known(backends, name)).backend);
    const signal = new AbortController().signal;
    const context = { site, say: session.note, clock: Date.now, signal };
    const production = await rollBackProduction(context, { by: session.config.actor, reason });
    if (session.json) session.printJson(production);
    const { state, because } = production.promotion ?? {};
    if (state === 'rolled-back') return exitCodes.succeeded;
    throw new SluiceError('ERR_GATE', `${name} did not come back: ${because ?? ''}`, {
      hint: `See: sluice backend show ${name}`,
    });
  },
  protect: (session, backends, name) => protect(session, backends, name, true),
  unprotect: (session, backends, name) => protect(session, backends, name, false),
  delete: async (session, backends, name, { confirm }) => {
    const now = Date.now();
    const lost = await deleteBackend(backends, await known(backends, name), { confirm, at: now, now });
    await awaitEnd(backends, name);
    if (session.json) session.printJson({ deleted: name, lost });
    else session.print(`The backend ${name} is gone. ${sentenceOf(lost)}`);
    return exitCodes.succeeded;
  },
  'delete-preview': async (session, backends, name, { preview }) => {
    if (preview === '') throw new SluiceError('ERR_USAGE', 'the name of the preview is missing');
    const found = await known(backends, name);
    const { store } = await session.open();
    await deletePreview(backends, found, preview, (filter) => store.runs(filter));
    if (session.json) session.printJson({ backend: name, preview });
    else session.print(`${preview} of ${name} is gone.`);
    return exitCodes.succeeded;
  },
};

async function protect(session: Session, backends: Backends, name: string, isProtected: boolean): Promise<ExitCode> {
  const told = toldBackend(await backends.protect(name, isProtected));
  if (session.json) session.printJson(told);
  else session.print(`The backend ${name} is ${isProtected ? 'protected' : 'not protected any more'}.`);
  return exitCodes.succeeded;
}

/** ERR_SERVICE when it is still there after five minutes: something holds up the end of its namespace. */
async function awaitEnd(backends: Backends, name: string): Promise<void> {
  const deadline = performance.now() + goneMs;
  for (;;) {
    const found = await backends.find(name);
    if (found === undefined) return;
    if (performance.now() > deadline) {
      const { obstacle = '' } = found;
      throw new SluiceError('ERR_SERVICE', `the backend "${name}" is still there${obstacle && `: ${obstacle}`}`, {
        hint: `Look what holds it up: kubectl describe namespace ${name}`,
      });
    }
    await sleep(goneLookMs);
  }
}

function statusLines({ known: backend, environments, production }: BackendStatus): readonly string[] {
  const { name, state, ...told } = toldBackend(backend);
  const { promotion } = production;
  const last =
    promotion &&
    `${promotion.release} ${promotion.state}${promotion.because === undefined ? '' : `: ${promotion.because}`}`;
  return [
    `${name}  ${told.repository}  ${state}${told.protected ? '  protected' : ''}`,
    ...environments.flatMap(({ environment, url, routed, database, releases, preview }) => [
      `  ${environment}  ${routed ?? 'no release'}  ${url}${database === undefined ? '' : `  database ${database}`}`,
      ...(preview === undefined ? [] : [`    ${previewLine(preview)}`]),
      ...releases.map(({ release, health }) => {
        const why = health.state === 'healthy' ? '' : `: ${health.message.replaceAll('\n', '\n      ')}`;
        return `    ${release}  ${health.state}${why}`;
      }),
    ]),
    ...(last === undefined ? [] : [`  last promotion  ${last}`]),
  ];
}

function previewLine({
  branch,
  pullRequest,
  usedAt,
  ttlMs,
  leaving,
}: NonNullable<RunningEnvironment['preview']>): string {
  const shown = pullRequest === undefined ? `branch ${branch}` : `pull request ${pullRequest}, branch ${branch}`;
  const [used, ends] = [usedAt, usedAt + ttlMs].map((at) => new Date(at).toISOString());
  return `of ${shown}; last used ${used ?? ''}, ${leaving === true ? 'being removed' : `ends ${ends ?? ''}`}`;
}

function driftLine({ object, kind, field, manager, is, shouldBe }: Drift): string {
  if (kind === 'missing') return `${object}  is not there`;
  const by = manager === undefined ? '' : `  by ${manager}`;
  const values = is === undefined && shouldBe === undefined ? '' : `  ${told(is)}, should be ${told(shouldBe)}`;
  return `${object}  ${field ?? ''}${by}${values}`;
}

function told(value: Drift['is']): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
