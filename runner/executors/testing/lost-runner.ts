import { text } from 'node:stream/consumers';
import type { AttemptSpec } from '../executor.ts';
import { createLocalExecutor } from '../local/local-executor.ts';
import { Recorder } from './recorder.ts';

/** A runner to be killed: executes the attempt that it reads from stdin and prints its place at its first output. */
const { folder, baseEnv, spec } = JSON.parse(await text(process.stdin)) as {
  readonly folder: string;
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly spec: AttemptSpec;
};
const seen = new Recorder();
let isTold = false;
seen.take = () => {
  if (!isTold) process.stdout.write(JSON.stringify(seen.places.at(-1)));
  isTold = true;
  return Promise.resolve();
};
await createLocalExecutor({ folder, baseEnv }).execute(spec, seen);
