import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { SluiceError, messageOf } from '../../model/errors.ts';
import { announceAll } from '../announce.ts';
import type { Announcement } from '../announce.ts';
import { BridgeSpool } from '../bridge-spool.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { readSecret } from '../read-secret.ts';

interface BridgeOptions {
  readonly server: string;
  readonly repository: string;
  readonly tokenFile: string;
}

const deadlineMs = 10_000;

export const defineBridge: Define = (command) => {
  command
    .requiredOption('--server <url>', 'where the server answers, such as https://sluice.example')
    .requiredOption('--repository <name>', 'name of the repository at the server')
    .requiredOption('--token-file <path>', 'token of role developer or higher');
  return async (session) => {
    const { server, repository, tokenFile } = command.opts<BridgeOptions>();
    const token = await readSecret(resolve(session.folder, tokenFile), '--token-file');
    // Git starts hooks in the repository: what could not be told waits there for the next push.
    const spool = new BridgeSpool(session.folder);
    await spool.add(readPushes(await text(process.stdin), repository, session.config.actor));
    const pushes = await spool.take();
    try {
      const answers = await announceAll(server, token, pushes, AbortSignal.timeout(deadlineMs));
      await spool.settle();
      if (session.json) session.printJson({ announced: answers });
      else for (const { ref, runId, reason } of answers) session.print(`sluice: ${ref}: ${runId ?? reason ?? 'taken'}`);
    } catch (error) {
      await spool.putBack();
      // The push itself went well, and must not fail for want of somebody who hears of it.
      session.note(`sluice: ${pushes.length} pushes wait in ${spool.path} for the next one: ${messageOf(error)}`);
    }
    return exitCodes.succeeded;
  };
};

/** Lines "before after ref" as git writes them. */
function readPushes(input: string, repository: string, actor: string): readonly Announcement[] {
  const lines = input.split('\n').filter(Boolean);
  return lines.map((line) => {
    const [before = '', after = '', ref = ''] = line.split(' ');
    if (!/^[0-9a-f]{40,64}$/.test(before) || !/^[0-9a-f]{40,64}$/.test(after) || !ref.startsWith('refs/')) {
      throw new SluiceError('ERR_USAGE', `${JSON.stringify(line)} is no line of a post-receive hook`, {
        hint: 'Call it from hooks/post-receive, which gets "before after ref" lines.',
      });
    }
    const id = createHash('sha256').update(`${repository} ${line} ${Date.now()}`).digest('hex').slice(0, 32);
    return { type: 'announce', id, repository, ref, before, after, actor };
  });
}
