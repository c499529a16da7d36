import type { KeyObject } from 'node:crypto';
import type { AppendedImage, ImageRequest } from './append-image.ts';
import { withDeadline } from './deadline.ts';
import { envelopeType, sealStatement } from './envelope.ts';
import { parseReference, placeOf } from './image-reference.ts';
import type { Descriptor } from './manifest.ts';
import { pushReferrer } from './push-referrer.ts';
import type { RegistryAccess } from './registry-session.ts';
import { Repository } from './repository.ts';

/** How an image came to be, as far as the request and the image do not say it. */
export interface BuildFacts {
  /** URI of who built it, such as the address of the server. */
  readonly builder: string;
  /** Version of Sluice. */
  readonly version: string;
  /** URI or id of the run. */
  readonly invocation?: string;
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** Private key (Ed25519) that signs what is said; without it nothing is signed. */
  readonly key?: KeyObject;
}

/** What was built of what, in the words of SLSA. */
export interface BuildDefinition {
  /** What `externalParameters` mean is written in docs/images.md. */
  readonly buildType: string;
  readonly externalParameters: Readonly<Record<string, unknown>>;
  readonly resolvedDependencies: readonly object[];
}

/** An image that is in its registry. */
export interface ProvedImage {
  /** `HOST/REPOSITORY[:TAG]`. */
  readonly into: string;
  readonly manifest: Descriptor;
}

const appendType = 'https://sluice.dev/build-types/append/v1';
export const predicateType = 'https://slsa.dev/provenance/v1';
/** Media type of an in-toto statement. */
export const statementType = 'application/vnd.in-toto+json';
const deadlineMs = 120_000;

/**
 * Says where an image came from: an in-toto statement (v1) with SLSA provenance (v1).
 * Source: https://in-toto.io/Statement/v1 and https://slsa.dev/spec/v1.0/provenance.
 */
function provenanceOf(buildDefinition: BuildDefinition, { into, manifest }: ProvedImage, facts: BuildFacts): object {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: placeOf(parseReference(into)), digest: { sha256: hexOf(manifest.digest) } }],
    predicateType,
    predicate: {
      buildDefinition,
      runDetails: {
        builder: { id: facts.builder, version: { sluice: facts.version } },
        metadata: {
          ...(facts.invocation !== undefined && { invocationId: facts.invocation }),
          startedOn: new Date(facts.startedAt).toISOString(),
          finishedOn: new Date(facts.finishedAt).toISOString(),
        },
      },
    },
  };
}

function appendDefinition(request: ImageRequest, { base: found }: AppendedImage): BuildDefinition {
  const { base, into, platform, changes, layers } = request;
  return {
    buildType: appendType,
    externalParameters: {
      base,
      into,
      platform: platform ?? found.platform,
      layers: layers.map(({ destination }) => ({ destination })),
      changes: changes ?? {},
    },
    resolvedDependencies: [imageDependency(found.name, found.digest), ...sourceDependency(request)],
  };
}

/** Pushes the provenance of an image as its referrer within two minutes, and answers what names it. Errors as those of `appendImage`. */
export function pushProvenance(
  request: ImageRequest,
  image: AppendedImage,
  facts: BuildFacts,
  access: RegistryAccess,
  signal: AbortSignal,
): Promise<Descriptor> {
  const made = { into: request.into, manifest: image.manifest };
  return pushDefinition(appendDefinition(request, image), made, facts, access, signal);
}

/** The same for an image that was made in another way. */
export async function pushDefinition(
  definition: BuildDefinition,
  image: ProvedImage,
  facts: BuildFacts,
  access: RegistryAccess,
  signal: AbortSignal,
): Promise<Descriptor> {
  const { mediaType: type, digest, size } = image.manifest;
  const statement = JSON.stringify(provenanceOf(definition, image, facts));
  const referrer = {
    subject: { mediaType: type, digest, size },
    mediaType: facts.key === undefined ? statementType : envelopeType,
    text: facts.key === undefined ? statement : sealStatement(statement, statementType, facts.key),
    annotations: { 'in-toto.io/predicate-type': predicateType },
  };
  return withDeadline(signal, deadlineMs, (limited) =>
    pushReferrer(new Repository(parseReference(image.into), access, limited, { push: true }), referrer),
  );
}

/** An image by its package URL (purl), type "oci". */
export function imageDependency(reference: string, found: string): object {
  const { host, repository } = parseReference(reference);
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  const query = new URLSearchParams({ repository_url: placeOf({ host, repository }) });
  return {
    uri: `pkg:oci/${name}@${encodeURIComponent(found)}?${query.toString()}`,
    digest: { sha256: hexOf(found) },
  };
}

function sourceDependency({ source, revision }: ImageRequest): readonly object[] {
  if (source === undefined || revision === undefined) return [];
  return [{ uri: `git+${source}@${revision}`, digest: { gitCommit: revision } }];
}

function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}
