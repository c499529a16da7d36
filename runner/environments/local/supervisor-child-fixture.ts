import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSupervisor } from './supervisor.ts';

/** A supervisor to be killed: of the folder that it is given. */
const [folder = ''] = process.argv.slice(2);
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
await runSupervisor({
  folder,
  cache: join(tmpdir(), 'sluice-test-tools'),
  env: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' },
  signal: stopping.signal,
});
