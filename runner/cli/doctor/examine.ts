import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, SluiceError } from '../../model/errors.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../view/format-bytes.ts';
import { ok } from './check.ts';
import type { Check } from './check.ts';
import { clusterChecks } from './cluster-check.ts';
import { findPrograms } from './find-programs.ts';

const leastNode = [22, 19] as const;
const leastFreeBytes = 1_000_000_000;

/** Everything that a run on this machine stands on, looked at for real. */
export async function examine(session: Session): Promise<readonly Check[]> {
  return [
    nodeCheck(process.versions.node),
    ...(await findPrograms()),
    await folderCheck(session.config.home),
    await spaceCheck(session.config.home),
    ...(await storeChecks(session)),
    ...(await clusterChecks(session)),
  ];
}

function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fits = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
  if (fits) return ok('node', version);
  return {
    name: 'node',
    status: 'failed',
    message: `${version} is too old`,
    hint: `Install Node ${leastNode.join('.')} or newer.`,
  };
}

async function folderCheck(home: string): Promise<Check> {
  const probe = join(home, `doctor-${process.pid}`);
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    await writeFile(probe, '', { flush: true });
    await rm(probe);
    return ok('data folder', home);
  } catch (error) {
    const hint = 'Make it writable, or choose another with --home or SLUICE_HOME.';
    return { name: 'data folder', status: 'failed', message: messageOf(error), hint };
  }
}

async function spaceCheck(home: string): Promise<Check> {
  try {
    const { bavail, bsize } = await statfs(home);
    const free = bavail * bsize;
    if (free >= leastFreeBytes) return ok('free space', formatBytes(free));
    const hint = `Free at least ${formatBytes(leastFreeBytes)} there, or choose another folder with --home.`;
    return { name: 'free space', status: 'warning', message: `only ${formatBytes(free)} in ${home}`, hint };
  } catch (error) {
    return { name: 'free space', status: 'failed', message: messageOf(error), hint: 'See the data folder above.' };
  }
}

async function storeChecks(session: Session): Promise<readonly Check[]> {
  try {
    const { store } = await session.open();
    const [newest] = await store.runs({ limit: 1 });
    return [
      ok('store', newest ? `newest run ${newest.runId}` : 'no run yet'),
      clockCheck(newest?.createdAt ?? 0, Date.now()),
    ];
  } catch (error) {
    const away = 'Move the data folder away to begin anew; keep it if you want its runs back.';
    const own = session.config.database && error instanceof SluiceError ? error.hint : undefined;
    const hint = own ?? away;
    return [{ name: 'store', status: 'failed', message: messageOf(error), hint }];
  }
}

/** Runs are ordered by time, so that a clock that was put back hides new ones behind old ones. */
function clockCheck(newestRun: number, now: number): Check {
  if (newestRun <= now) return ok('clock', new Date(now).toISOString());
  const message = `${new Date(now).toISOString()}, but the newest run began at ${new Date(newestRun).toISOString()}`;
  return { name: 'clock', status: 'warning', message, hint: 'Set the clock of this machine.' };
}
