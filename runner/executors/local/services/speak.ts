import { connect } from 'node:net';

const answerMs = 2_000;

/** Sends bytes to a local port and answers the first bytes that come back; empty when nothing does. */
export async function speak(port: number, words: Uint8Array): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(words));
    const end = (answer: Buffer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', end);
    for (const event of ['error', 'close', 'timeout']) socket.once(event, () => end(Buffer.alloc(0)));
    socket.setTimeout(answerMs);
  });
}
