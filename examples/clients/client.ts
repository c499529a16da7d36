/**
 * Runs a command on a commit and prints what it says: `node client.ts SERVER REPOSITORY COMMIT COMMAND`
 *
 * Needs Node 22.18 or newer, and a token of role developer in SLUICE_TOKEN. Ends with 0 when the run succeeded.
 */
import { randomUUID } from 'node:crypto';

const [server = '', repository = '', commit = '', run = ''] = process.argv.slice(2);
const wish = { type: 'run', id: randomUUID(), repository, commit, command: { run } };

/** The fields of messages that this client looks at. */
interface Message {
  readonly type: string;
  readonly re?: string;
  readonly runId?: string;
  readonly text?: string;
  readonly position?: number;
  readonly problem?: { readonly detail: string; readonly next?: string };
  readonly report?: { readonly outcome: string };
}

let position: number | undefined;

/** One connection. When it is lost the next one goes on: the same id is the same run, `after` is where it was cut. */
function connect(): void {
  const socket = new WebSocket(`${server.replace(/^http/, 'ws')}/v1/websocket`, 'sluice.v1');
  const say = (message: object): void => socket.send(JSON.stringify(message));
  socket.addEventListener('open', () => {
    say({ type: 'hello', token: process.env['SLUICE_TOKEN'] });
    say(wish);
  });
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.problem) end(`${message.problem.detail} ${message.problem.next ?? ''}\n`, 2);
    if (message.type === 'accepted' && message.re === wish.id)
      say({ type: 'subscribe', id: 'run', runId: message.runId, logs: true, after: position });
    if (message.type === 'log') process.stdout.write(message.text ?? '');
    if (message.type === 'event') {
      position = message.position;
      say({ type: 'ack', subscription: 'run', position });
    }
    if (message.report)
      end(`run ${message.runId}: ${message.report.outcome}\n`, message.report.outcome === 'succeeded' ? 0 : 1);
  });
  socket.addEventListener('close', () => {
    console.error('Not connected; trying again.');
    setTimeout(connect, 1_000);
  });
}

function end(text: string, code: number): void {
  process.stdout.write(text, () => process.exit(code));
}

if (run === '' || process.env['SLUICE_TOKEN'] === undefined)
  end('Usage: SLUICE_TOKEN=… node client.ts SERVER REPOSITORY COMMIT COMMAND\n', 2);
else connect();
