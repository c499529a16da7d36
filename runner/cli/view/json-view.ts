import type { RunView } from './run-view.ts';

/** One line per event of the run: `schemas/cli.schema.json#/$defs/runLine`. */
export function openJsonView(printJson: (value: unknown) => void): RunView {
  return {
    event: ({ runId }, event) => printJson({ kind: 'event', runId, event }),
    log: () => undefined,
    notice: () => undefined,
    close: () => undefined,
  };
}
