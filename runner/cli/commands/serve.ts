import { InvalidArgumentError, Option } from 'commander';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { positive } from '../positive.ts';
import { addEngineOptions, engineOverrides } from '../run-options.ts';
import type { EngineFlags } from '../run-options.ts';
import type { Address } from '../session.ts';
import { untilSignal } from '../signals.ts';

interface ServeOptions extends EngineFlags {
  readonly listen: Address;
  readonly grace: number;
}

export const defineServe: Define = (command) => {
  command.addOption(
    new Option('--listen <address>', 'where to answer')
      .argParser(parseAddress)
      .default({ host: '127.0.0.1', port: 8080 }, '127.0.0.1:8080'),
  );
  command.option('--grace <seconds>', 'how long runs may take to end once it is asked to stop', positive, 20);
  addEngineOptions(command);
  return async (session) => {
    const options = command.opts<ServeOptions>();
    const overrides = await engineOverrides(options, session);
    const services = await session.services(overrides);
    // Asked for before the server is there: a signal that comes while it starts is not lost.
    const stop = untilSignal(session.io);
    try {
      const server = await session.serve(services, options.listen, overrides);
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

function parseAddress(text: string): Address {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535) {
    throw new InvalidArgumentError('Give HOST:PORT, such as 127.0.0.1:8080; port 0 takes any free one.');
  }
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
