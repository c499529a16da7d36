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

/** What `externalParameters` mean is written in docs/images.md. */
const buildType = 'https://sluice.dev/build-types/append/v1';
export const predicateType = 'https://slsa.dev/provenance/v1';
/** Media type of an in-toto statement. */
export const statementType = 'application/vnd.in-toto+json';
const deadlineMs = 120_000;

/**
 * Says where an image came from: an in-toto statement (v1) with SLSA provenance (v1).
 * Source: https://in-toto.io/Statement/v1 and https://slsa.dev/spec/v1.0/provenance.
 */
function provenanceOf(request: ImageRequest, image: AppendedImage, facts: BuildFacts): object {
  const { base, into, platform, changes, layers } = request;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: placeOf(parseReference(into)), digest: { sha256: hexOf(image.manifest.digest) } }],
    predicateType,
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: {
          base,
          into,
          platform: platform ?? image.base.platform,
          layers: layers.map(({ destination }) => ({ destination })),
          changes: changes ?? {},
        },
        resolvedDependencies: [baseDependency(image), ...sourceDependency(request)],
      },
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

/** Pushes the provenance of an image as its referrer within two minutes, and answers what names it. Errors as those of `appendImage`. */
export async function pushProvenance(
  request: ImageRequest,
  image: AppendedImage,
  facts: BuildFacts,
  access: RegistryAccess,
  signal: AbortSignal,
): Promise<Descriptor> {
  const { mediaType: type, digest, size } = image.manifest;
  const statement = JSON.stringify(provenanceOf(request, image, facts));
  const referrer = {
    subject: { mediaType: type, digest, size },
    mediaType: facts.key === undefined ? statementType : envelopeType,
    text: facts.key === undefined ? statement : sealStatement(statement, statementType, facts.key),
    annotations: { 'in-toto.io/predicate-type': predicateType },
  };
  return withDeadline(signal, deadlineMs, (limited) =>
    pushReferrer(new Repository(parseReference(request.into), access, limited, { push: true }), referrer),
  );
}

/** By its package URL (purl), type "oci". */
function baseDependency({ base }: AppendedImage): object {
  const { host, repository } = parseReference(base.name);
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  const query = new URLSearchParams({ repository_url: placeOf({ host, repository }) });
  return {
    uri: `pkg:oci/${name}@${encodeURIComponent(base.digest)}?${query.toString()}`,
    digest: { sha256: hexOf(base.digest) },
  };
}

function sourceDependency({ source, revision }: ImageRequest): readonly object[] {
  if (source === undefined || revision === undefined) return [];
  return [{ uri: `git+${source}@${revision}`, digest: { gitCommit: revision } }];
}

function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}
