import type { ServiceCheck } from './protocol.ts';

const nothing = new Uint8Array(0);

/** What to say first to a service so that it shows whether it is ready; nothing when an open port is all there is. */
export function firstWords({ protocol, user = 'postgres', database = user }: ServiceCheck): Uint8Array {
  if (protocol === 'redis') return Buffer.from('PING\r\n');
  if (protocol === 'tcp') return nothing;
  // A start-up message (PostgreSQL protocol 3.0).
  const parameters = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(head.length + parameters.length, 0);
  head.writeInt32BE(196_608, 4);
  return Buffer.concat([head, parameters]);
}

/** `answer` is undefined when the port was not open. PostgreSQL answers with an error while it is still starting. */
export function isReadyAnswer({ protocol }: ServiceCheck, answer: Buffer | undefined): boolean {
  if (answer === undefined) return false;
  if (protocol === 'redis') return /^(\+PONG|-NOAUTH)/.test(answer.toString());
  return protocol === 'tcp' || answer.subarray(0, 1).toString() === 'R';
}
