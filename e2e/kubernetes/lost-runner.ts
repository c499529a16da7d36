import { text } from 'node:stream/consumers';
import type { AttemptSpec } from '../../runner/executors/executor.ts';
import { Recorder } from '../../runner/executors/testing/recorder.ts';
import { executorIn } from './subject.ts';
import type { Place } from './subject.ts';

/** A runner to be killed: executes the attempt that it reads from stdin and prints its place at its first output. */
const { place, spec } = JSON.parse(await text(process.stdin)) as { readonly place: Place; readonly spec: AttemptSpec };
const seen = new Recorder();
seen.take = () => {
  process.stdout.write(JSON.stringify(seen.places.at(-1)));
  return new Promise(() => undefined);
};
await executorIn(place).execute(spec, seen);
