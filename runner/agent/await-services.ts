import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AttemptEnded } from '../model/attempt-ended.ts';
import { firstWords, isReadyAnswer } from './service-words.ts';
import type { ServiceCheck } from './protocol.ts';

const readyMs = 60_000;
const answerMs = 2_000;
const pauseMs = 25;

/** Waits until each service beside the step answers in its own protocol; AttemptEnded (`service_failed`) after a minute. */
export async function awaitServices(services: readonly ServiceCheck[], signal: AbortSignal): Promise<void> {
  await Promise.all(services.map((service) => awaitService(service, signal)));
}

async function awaitService(service: ServiceCheck, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + readyMs;
  while (!isReadyAnswer(service, await ask(service))) {
    signal.throwIfAborted();
    if (performance.now() > deadline) {
      throw new AttemptEnded(
        'service_failed',
        `service "${service.name}": for a minute it did not answer on port ${service.port}`,
      );
    }
    await sleep(pauseMs);
  }
}

/** The first bytes of the answer; empty when the port was open and nothing was said, undefined when it was not open. */
async function ask(service: ServiceCheck): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let open = false;
    const socket = connect({ host: '127.0.0.1', port: service.port }, () => {
      open = true;
      const words = firstWords(service);
      if (words.length === 0) end(Buffer.alloc(0));
      else socket.write(words);
    });
    const end = (answer: Buffer | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', end);
    for (const event of ['error', 'close', 'timeout']) {
      socket.once(event, () => end(open ? Buffer.alloc(0) : undefined));
    }
    socket.setTimeout(answerMs);
  });
}
