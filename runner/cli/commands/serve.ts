import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { positive } from '../positive.ts';
import { addEngineOptions, engineOverrides } from '../run-options.ts';
import type { EngineFlags } from '../run-options.ts';
import { untilSignal } from '../signals.ts';

interface ServeOptions extends EngineFlags {
  readonly listen?: string;
  readonly grace: number;
}

export const defineServe: Define = (command) => {
  command.option('--listen <address>', 'where to answer (default: $SLUICE_LISTEN or 127.0.0.1:8080)');
  command.option('--grace <seconds>', 'how long runs may take to end once it is asked to stop', positive, 20);
  addEngineOptions(command);
  return async (session) => {
    const options = command.opts<ServeOptions>();
    const { listen } = options;
    const overrides = { ...(await engineOverrides(options, session)), ...(listen !== undefined && { listen }) };
    const services = await session.services(overrides);
    // Asked for before the server is there: a signal that comes while it starts is not lost.
    const stop = untilSignal(session.io);
    try {
      const server = await session.serve(services, overrides);
      if (session.json) session.printJson({ url: server.url });
      else session.print(`Sluice answers at ${server.url}`);
      await aborted(stop.signal);
      await server.close(options.grace * 1000);
    } finally {
      stop.close();
    }
    return exitCodes.succeeded;
  };
};

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
