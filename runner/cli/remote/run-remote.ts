import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { SluiceError } from '../../model/errors.ts';
import type { RunReport } from '../../results/report/run-report.ts';
import { exitCodeOf, exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { ViewOptions } from '../open-view.ts';
import { readSecret } from '../read-secret.ts';
import type { PrepareFlags } from '../run-options.ts';
import type { Session } from '../session.ts';
import { onSignals } from '../signals.ts';
import { followRemote } from './follow-remote.ts';
import { openRemoteView } from './remote-view.ts';

export interface RemoteFlags {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly repository?: string;
  readonly command?: string;
  readonly image?: string;
  readonly junit?: readonly string[];
  readonly timeout?: string;
  readonly priority?: number;
}

type Flags = RemoteFlags & PrepareFlags & ViewOptions;

/** Runs a commit at a server, before the eyes of the user, and answers what the shell gets to know. */
export async function runRemote(folder: string, url: string, flags: Flags, session: Session): Promise<ExitCode> {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    const hint = 'Give --server https://sluice.example.';
    throw new SluiceError('ERR_USAGE', `${JSON.stringify(url)} is no address of a server`, { hint });
  }
  if (flags.tokenFile === undefined) {
    const hint = 'Give --token-file; `sluice token create --role developer` makes a token at the server.';
    throw new SluiceError('ERR_USAGE', 'a server wants a token', { hint });
  }
  const token = await readSecret(resolve(session.folder, flags.tokenFile), '--token-file');
  const wish = { type: 'run', id: randomUUID(), ...(await whatToRun(folder, flags, session)) } as const;
  const [cancel, leave] = [new AbortController(), new AbortController()];
  const view = openRemoteView(session, url, flags);
  // The first signal cancels and waits for the clean end; the next one leaves the run to the server.
  const listening = onSignals(session.io, () => {
    if (cancel.signal.aborted) leave.abort();
    else view.notice('Cancelling; Ctrl-C again leaves it to the server.');
    cancel.abort();
  });
  try {
    const target = { url, token };
    const report = await followRemote(target, { ...wish, cancel: cancel.signal, leave: leave.signal }, view);
    if (!report) return exitCodes.interrupted;
    view.finish(report);
    if (report.outcome === 'cancelled' && cancel.signal.aborted) return exitCodes.interrupted;
    return report.reason === 'pipeline_invalid' ? exitCodes.usage : exitCodeOf(verdictOf(report));
  } finally {
    listening.close();
  }
}

const verdictOf = ({ outcome, reason }: RunReport) => outcome && { outcome, ...(reason !== undefined && { reason }) };

/** What is not said is as the folder has it: its repository, and the commit that is checked out. */
async function whatToRun(folder: string, flags: Flags, session: Session) {
  const { command, file, image, junit, timeout, priority } = flags;
  const known = flags.repository !== undefined && flags.commit !== undefined;
  const here = known ? undefined : await session.checkout(folder);
  if (here?.dirty === true && flags.commit === undefined)
    session.note('Changes that are not committed are not part of the run.');
  const commit = flags.commit ?? here?.commit ?? '';
  if (/^0+$/.test(commit)) {
    const hint = 'Make one and push it, or name one that the server can fetch with --commit.';
    throw new SluiceError('ERR_USAGE', 'The repository of this folder has no commit yet', { hint });
  }
  const options = {
    ...(image !== undefined && { image }),
    ...(junit !== undefined && { junit: [...junit] }),
    ...(timeout !== undefined && { timeout }),
  };
  return {
    repository: flags.repository ?? here?.repository ?? '',
    commit,
    ...(priority !== undefined && { priority }),
    ...(command === undefined ? { file } : { command: { run: command, ...options } }),
  };
}
