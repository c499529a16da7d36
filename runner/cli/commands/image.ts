import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { SluiceError } from '../../model/errors.ts';
import { appendImage } from '../../images/append-image.ts';
import type { AppendedImage, ImageRequest } from '../../images/append-image.ts';
import { pushProvenance } from '../../images/provenance.ts';
import { openCredentials } from '../../images/registry-credentials.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import type { Session } from '../session.ts';
import { untilSignal } from '../signals.ts';
import { formatBytes } from '../view/format-bytes.ts';

interface ImageOptions {
  readonly base: string;
  readonly from: string;
  readonly into: string;
  readonly to: string;
  readonly start?: string;
  readonly port?: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
  readonly label?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly platform?: string;
  readonly revision?: string;
  readonly source?: string;
  readonly provenance: boolean;
}

/** Who built an image that was made on the command line; a server has an address of its own. */
const builderOfCommandLine = 'https://sluice.dev/builders/command-line/v1';

export const defineImage: Define = (command) => {
  command
    .argument('<action>', 'append')
    .requiredOption('--base <reference>', 'image that stands below, by tag or digest')
    .requiredOption('--from <folder>', 'what goes into the image')
    .requiredOption('--into <reference>', 'where the image goes: HOST/REPOSITORY[:TAG]')
    .option('--to <folder>', 'where the files are in the image; its working folder', '/app')
    .option('--start <command>', 'what it runs, by /bin/sh (default: what the base runs)')
    .option('--port <number>', 'port that it listens at; may be repeated', addPort)
    .option('--env <NAME=value>', 'variable of its environment; may be repeated', addPair)
    .option('--label <NAME=value>', 'label; may be repeated', addPair)
    .option('--user <user>', 'who runs it, by name or number (default: as in the base)')
    .option('--platform <platform>', 'of a base that is there for several (default: linux/amd64)')
    .option('--revision <commit>', 'commit that the files are of')
    .option('--source <url>', 'repository of that commit')
    .option('--no-provenance', 'push no statement of where the image came from');
  return async (session) => {
    const [action = ''] = command.args;
    if (action !== 'append') {
      throw new SluiceError('ERR_USAGE', `image cannot ${JSON.stringify(action)}`, { hint: 'It can append.' });
    }
    await append(command.opts<ImageOptions>(), session);
    return exitCodes.succeeded;
  };
};

async function append(options: ImageOptions, session: Session): Promise<void> {
  const request = requestOf(options, session);
  const { authFile: named, usualAuthFile: usual, plainHttp } = session.config.registries;
  const access = { credentials: await openCredentials({ named, usual }), plainHttp };
  const stop = untilSignal(session.io);
  try {
    const startedAt = Date.now();
    const image = await appendImage(request, access, stop.signal);
    const facts = { builder: builderOfCommandLine, version: session.version, startedAt, finishedAt: Date.now() };
    const provenance = options.provenance && (await pushProvenance(request, image, facts, access, stop.signal));
    if (session.json) session.printJson({ ...image, ...(provenance && { provenance: provenance.digest }) });
    else show(image, session);
  } finally {
    stop.close();
  }
}

function requestOf(options: ImageOptions, session: Session): ImageRequest {
  const { base, into, from, to, start, port, env, label, user, platform, revision, source } = options;
  return {
    base,
    into,
    layers: [{ folder: resolve(session.folder, from), destination: to }],
    changes: {
      workingFolder: to,
      ...(start !== undefined && { command: ['/bin/sh', '-c', start] }),
      ...(port && { ports: port }),
      ...(env && { environment: env }),
      ...(label && { labels: label }),
      ...(user !== undefined && { user }),
    },
    ...(platform !== undefined && { platform }),
    ...(revision !== undefined && { revision }),
    ...(source !== undefined && { source }),
  };
}

function show({ image, layers }: AppendedImage, session: Session): void {
  const sent = layers.filter(({ origin }) => origin === 'uploaded' || origin === 'copied');
  const bytes = sent.reduce((sum, { size }) => sum + size, 0);
  const told = sent.length === 0 ? 'all there already' : `${formatBytes(bytes)} of them sent`;
  session.note(`${layers.length} layers, ${told}.`);
  session.print(image);
}

function addPort(text: string, others: readonly number[] = []): readonly number[] {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('Give a number from 1 to 65535.');
  return [...others, Number(text)];
}

function addPair(text: string, others: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Give NAME=value.');
  return { ...others, [name]: value };
}
