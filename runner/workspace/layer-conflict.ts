import type { Readable } from 'node:stream';
import { defaultLimits, readTar } from './read-tar.ts';
import type { TarMember } from './read-tar.ts';

/** A tar with files that a step hands over. */
export interface Layer {
  /** Name of the step, as people know it. */
  readonly name: string;
  readonly open: () => Promise<Readable>;
}

export interface LayerConflict {
  readonly path: string;
  /** Names of the layers. */
  readonly first: string;
  readonly second: string;
}

/**
 * The first path that two layers both write, or that is a folder in one of them only; undefined when they can be
 * unpacked in any order. Reads the layers one after the other, with the errors of `readTar`.
 */
export async function findLayerConflict(
  layers: readonly Layer[],
  signal?: AbortSignal,
): Promise<LayerConflict | undefined> {
  const owners = new Map<string, { readonly layer: Layer; readonly folder: boolean }>();
  for (const layer of layers) {
    for await (const member of readTar(await layer.open(), defaultLimits, signal)) {
      for (const { path, folder } of claims(member)) {
        const owner = owners.get(path);
        if (owner === undefined) owners.set(path, { layer, folder });
        else if (owner.layer !== layer && !(owner.folder && folder)) {
          return { path, first: owner.layer.name, second: layer.name };
        }
      }
    }
  }
  return undefined;
}

/** The member's path, and the folders that it needs around it. */
function* claims(member: TarMember): Generator<{ readonly path: string; readonly folder: boolean }> {
  yield { path: member.path, folder: member.kind === 'folder' };
  for (let end = member.path.lastIndexOf('/'); end > 0; end = member.path.lastIndexOf('/', end - 1)) {
    yield { path: member.path.slice(0, end), folder: true };
  }
}
