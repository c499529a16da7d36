import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { SluiceError } from '../../model/errors.ts';
import { appendImage } from '../../images/append-image.ts';
import type { AppendedImage, ImageRequest } from '../../images/append-image.ts';
import { readKey } from '../../images/envelope.ts';
import { pushProvenance } from '../../images/provenance.ts';
import { openCredentials } from '../../images/registry-credentials.ts';
import type { RegistryAccess } from '../../images/registry-session.ts';
import { verifyImage } from '../../images/verify-image.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import type { Session } from '../session.ts';
import { untilSignal } from '../signals.ts';
import { formatBytes } from '../view/format-bytes.ts';

interface ImageOptions {
  readonly base?: string;
  readonly from?: string;
  readonly into?: string;
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
  readonly sign?: string;
  readonly key?: string;
}

/** Who built an image that was made on the command line; a server has an address of its own. */
const builderOfCommandLine = 'https://sluice.dev/builders/command-line/v1';

export const defineImage: Define = (command) => {
  command
    .argument('<action>', 'append: make an image; verify: look for signed provenance')
    .argument('[reference]', 'verify: the image')
    .option('--base <reference>', 'image that stands below, by tag or digest')
    .option('--from <folder>', 'what goes into the image')
    .option('--into <reference>', 'where the image goes: HOST/REPOSITORY[:TAG]')
    .option('--to <folder>', 'where the files are in the image; its working folder', '/app')
    .option('--start <command>', 'what it runs, by /bin/sh (default: what the base runs)')
    .option('--port <number>', 'port that it listens at; may be repeated', addPort)
    .option('--env <NAME=value>', 'variable of its environment; may be repeated', addPair)
    .option('--label <NAME=value>', 'label; may be repeated', addPair)
    .option('--user <user>', 'who runs it, by name or number (default: as in the base)')
    .option('--platform <platform>', 'of a base that is there for several (default: linux/amd64)')
    .option('--revision <commit>', 'commit that the files are of')
    .option('--source <url>', 'repository of that commit')
    .option('--no-provenance', 'push no statement of where the image came from')
    .option('--sign <file>', 'private key (Ed25519, PEM) that signs that statement')
    .option('--key <file>', 'verify: public key (Ed25519, PEM) that must have signed it');
  return async (session) => {
    const [action = '', reference] = command.args;
    const options = command.opts<ImageOptions>();
    if (action === 'append' && reference === undefined) await append(options, session);
    else if (action === 'verify') await verifySigned(reference, options, session);
    else {
      const hint = 'It can `append`, and `verify REFERENCE`.';
      throw new SluiceError('ERR_USAGE', `image cannot ${JSON.stringify(command.args.join(' '))}`, { hint });
    }
    return exitCodes.succeeded;
  };
};

async function append(options: ImageOptions, session: Session): Promise<void> {
  const request = requestOf(options, session);
  const key = options.sign === undefined ? undefined : await readKey(resolve(session.folder, options.sign), 'sign');
  const access = await accessOf(session);
  const stop = untilSignal(session.io);
  try {
    const startedAt = Date.now();
    const image = await appendImage(request, access, stop.signal);
    const facts = {
      builder: builderOfCommandLine,
      version: session.version,
      startedAt,
      finishedAt: Date.now(),
      ...(key && { key }),
    };
    const provenance = options.provenance && (await pushProvenance(request, image, facts, access, stop.signal));
    if (session.json) session.printJson({ ...image, ...(provenance && { provenance: provenance.digest }) });
    else show(image, session);
  } finally {
    stop.close();
  }
}

async function accessOf({ config }: Session): Promise<RegistryAccess> {
  const { authFile: named, usualAuthFile: usual, plainHttp } = config.registries;
  return { credentials: await openCredentials({ named, usual }), plainHttp };
}

async function verifySigned(reference: string | undefined, { key }: ImageOptions, session: Session): Promise<void> {
  const image = required(reference, '<reference>');
  const publicKey = await readKey(resolve(session.folder, required(key, '--key <file>')), 'verify');
  const stop = untilSignal(session.io);
  try {
    const verified = await verifyImage(image, publicKey, await accessOf(session), stop.signal);
    if (session.json) session.printJson(verified);
    else session.print(verified.image);
  } finally {
    stop.close();
  }
}

function required(value: string | undefined, what: string): string {
  if (value !== undefined) return value;
  throw new SluiceError('ERR_USAGE', `${what} is missing`, { hint: '`sluice help image` lists what there is.' });
}

function requestOf(options: ImageOptions, session: Session): ImageRequest {
  const { base, into, from, to, start, port, env, label, user, platform, revision, source } = options;
  return {
    base: required(base, '--base <reference>'),
    into: required(into, '--into <reference>'),
    layers: [{ folder: resolve(session.folder, required(from, '--from <folder>')), destination: to }],
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
