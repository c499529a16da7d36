import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterClient } from './cluster/cluster-client.ts';
import { buildMemory } from './environments/kubernetes/build-namespace.ts';
import { buildMinutes, forgetBuild, runBuild } from './environments/kubernetes/run-build.ts';
import type { BuildOrder } from './environments/kubernetes/run-build.ts';
import type { KubernetesSiteDescription } from './environments/kubernetes/step-access.ts';
import type { TaskEnd } from './environments/site.ts';
import { digestOf } from './images/digest.ts';
import type { BuildFacts, BuildDefinition } from './images/provenance.ts';
import type { AppendedImage } from './images/append-image.ts';
import type { BuiltImage } from './images/built-image.ts';
import type { Containerfile } from './images/containerfile.ts';
import type { BackendService } from './model/backend.ts';
import { systemClock } from './model/clock.ts';
import { isDisplaced, SluiceError } from './model/errors.ts';
import { imageReference } from './model/own-images.ts';
import { builder, needed } from './operation-place.ts';
import type { OperationSurroundings } from './operation-place.ts';

type BuiltService = BackendService & { readonly containerfile: string };

/** Where the workspace is in the pod that builds. */
const contextFolder = '/workspace';

/** What `build-image` ends with when the build fails; all else is a matter of the place. */
const notBuilt = 1;

const hint = 'docs/backends.md, "Containerfiles", says what a cluster needs.';

const buildType = 'https://sluice.dev/build-types/containerfile/v1';

/**
 * The image of a service by its Containerfile, built by a Job that may do no more than build. The workspace gets to it as a layer on the image `buildah`, by
 * digest, as everything else does. Answers the image as the registry has it. ERR_GATE with file and line for a build that does not succeed by a fault of its own.
 */
export async function buildContainerfile(
  cluster: ClusterClient,
  service: BuiltService,
  { backend, place }: KubernetesSiteDescription,
  { variables, version, say, signal }: OperationSurroundings,
): Promise<string> {
  const [{ appendImage }, { readBuilt }, { pushDefinition }, { openCredentials }] = await Promise.all([
    import('./images/append-image.ts'),
    import('./images/built-image.ts'),
    import('./images/provenance.ts'),
    import('./images/registry-credentials.ts'),
  ]);
  const { text, file } = await readSound(service);
  const { plainHttp } = place;
  const access = {
    credentials: await openCredentials({ named: variables['REGISTRY_AUTH_FILE'], usual: undefined }),
    plainHttp,
  };
  const [run, commit] = [needed(variables, 'SLUICE_RUN'), needed(variables, 'SLUICE_COMMIT')];
  const into = `${place.registry}/${backend.name}/${service.name}`;
  const startedAt = systemClock();
  const context = await appendImage(
    {
      base: imageReference(place.images, 'buildah'),
      into: `${into}-context:${commit}`,
      layers: [{ folder: process.cwd(), destination: contextFolder }],
    },
    access,
    signal,
  ).catch(notOfTheCommit('the workspace cannot be brought to where it is built'));
  const annotation = `org.opencontainers.image.revision=${commit}`;
  const tagged = `${into}:${commit}`;
  const args = [
    contextFolder,
    tagged,
    '--file',
    `${contextFolder}/${service.containerfile}`,
    '--annotation',
    annotation,
  ];
  const order = { backend, service: service.name, run, image: context.image, args, plainHttp, signal };
  const end = await runBuild(cluster, order).catch(async (error: unknown) => {
    // Whoever lost its pod is followed by another, which goes on with the build.
    if (signal.aborted && !isDisplaced(signal)) await forgetBuild(cluster, order);
    return notOfTheCommit('the build cannot begin')(error);
  });
  say(end.output);
  if (end.exitCode !== 0) throw await faultOf(cluster, order, service, file, end);
  const built = await readBuilt(tagged, digestIn(end), access, signal);
  const facts: BuildFacts = { builder, version, invocation: run, startedAt, finishedAt: systemClock() };
  const definition = await definitionOf(service, text, commit, context, built);
  await pushDefinition(definition, { into: tagged, manifest: built.manifest }, facts, access, signal);
  return built.image;
}

/** What goes wrong before the Containerfile is read is a matter of the place. */
function notOfTheCommit(what: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof SluiceError) || (error.code !== 'ERR_GATE' && error.code !== 'ERR_NOT_FOUND')) throw error;
    throw new SluiceError('ERR_SERVICE', `${what}: ${error.message}`, { cause: error, hint });
  };
}

/** A mistake that can be seen is told before anything is begun. */
async function readSound({
  name,
  containerfile,
}: BuiltService): Promise<{ readonly text: string; readonly file: Containerfile }> {
  const { readContainerfile } = await import('./images/containerfile.ts');
  const text = await readInside(process.cwd(), containerfile).catch((error: unknown) => {
    throw new SluiceError('ERR_GATE', `the Containerfile of the service "${name}" cannot be read: ${containerfile}`, {
      cause: error,
      hint: 'Name a file of the repository: `services: { NAME: { containerfile: … } }`.',
    });
  });
  const file = readContainerfile(text);
  if (file.mistakes.length === 0) return { text, file };
  const told = file.mistakes.map(({ line, column, message }) => `${containerfile}:${line}:${column}: ${message}`);
  throw new SluiceError('ERR_GATE', told.join('\n'), {
    hint: 'Mend it; `buildah build` or `docker build` says the same.',
  });
}

/** What mistakes are told of may not lie elsewhere: a link would show files of this pod. */
async function readInside(folder: string, file: string): Promise<string> {
  const [root, path] = await Promise.all([realpath(folder), realpath(join(folder, file))]);
  if (path.startsWith(`${root}/`)) return readFile(path, 'utf8');
  throw new SluiceError('ERR_WORKSPACE', `${file} leads out of the workspace`);
}

/** Whose fault it is that there is no image. What was not the file's is begun anew by whoever tries again. */
async function faultOf(
  cluster: ClusterClient,
  order: BuildOrder,
  { name, containerfile }: BuiltService,
  file: Containerfile,
  { exitCode, output, exceeded }: TaskEnd,
): Promise<SluiceError> {
  const fault = file.faultIn(output);
  const said = fault?.message ?? output.split('\n').at(-1) ?? '';
  if (exceeded === undefined && (exitCode !== notBuilt || isAway(said))) {
    await forgetBuild(cluster, order);
    return new SluiceError('ERR_SERVICE', `the build of the service "${name}" ended with ${exitCode}: ${said}`, {
      hint,
    });
  }
  const where = fault?.line === undefined ? containerfile : `${containerfile}:${fault.line}`;
  const told = fault?.instruction === undefined ? '' : `${shortened(fault.instruction)}: `;
  return new SluiceError('ERR_GATE', `${where}: ${told}${shortened(said)}${limitOf(said, exceeded)}`);
}

const mostLetters = 1_000;

/** An instruction may be a whole script. */
function shortened(text: string): string {
  return text.length <= mostLetters ? text : `${text.slice(0, mostLetters)}…`;
}

/** A command that the kernel kills for its memory ends like one that somebody kills. */
function limitOf(said: string, exceeded: TaskEnd['exceeded']): string {
  if (exceeded === 'time') return ` (a build has ${buildMinutes} minutes)`;
  return exceeded === 'memory' || said.endsWith('exit status 137') ? ` (a build has ${buildMemory} of memory)` : '';
}

/** A registry that does not answer, or not for now, which is nobody's mistake here. */
function isAway(said: string): boolean {
  return /(?:pinging container registry|initializing source).*(?:connection refused|i\/o timeout|no such host|TLS handshake|\b50\d\b|toomanyrequests)/.test(
    said,
  );
}

/** The last line of what it wrote. */
function digestIn({ output }: TaskEnd): string {
  const digest = /@(sha256:[0-9a-f]{64})$/.exec(output)?.[1];
  if (digest !== undefined) return digest;
  throw new SluiceError('ERR_SERVICE', 'the build told no digest of its image');
}

async function definitionOf(
  { containerfile }: BuiltService,
  text: string,
  revision: string,
  context: AppendedImage,
  { base }: BuiltImage,
): Promise<BuildDefinition> {
  const { imageDependency } = await import('./images/provenance.ts');
  return {
    buildType,
    externalParameters: { containerfile, context: '.', revision },
    resolvedDependencies: [
      { uri: containerfile, digest: { sha256: digestOf(Buffer.from(text)).replace('sha256:', '') } },
      imageDependency(context.reference, context.manifest.digest),
      ...(base === undefined ? [] : [imageDependency(base.name, base.digest)]),
    ],
  };
}
