import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StepAgent } from './agent.ts';
import { foldersBelow, volume } from './folders.ts';
import { RunnerLink } from './runner-link.ts';

/** The agent's own program: everything that it needs is in its environment, put there with the pod. */
const { SLUICE_AGENT_URL: url = '', SLUICE_JOB: job = '', SLUICE_TOKEN_FILE: tokenFile = '' } = process.env;
const agent = new StepAgent({
  folders: foldersBelow(volume),
  spool: join(tmpdir(), 'output'),
  link: new RunnerLink({ url, job, tokenFile }),
  echo: (chunk) => new Promise((resolve) => process.stdout.write(chunk, () => resolve())),
});
process.on('SIGTERM', () => agent.terminate());
await agent.run();
process.exit(0);
