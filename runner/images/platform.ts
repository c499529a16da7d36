import { SluiceError } from '../model/errors.ts';
import type { Descriptor, Platform } from './manifest.ts';
import { RegistryError } from './registry-error.ts';

/** `OS/ARCHITECTURE[/VARIANT]`. ERR_USAGE for anything else. */
export function parsePlatform(text: string): Platform {
  const [, os, architecture, variant] = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9]+))?$/.exec(text) ?? [];
  if (os === undefined || architecture === undefined) {
    throw new SluiceError('ERR_USAGE', `${JSON.stringify(text)} is no platform`, {
      hint: 'Write linux/amd64 or linux/arm64.',
    });
  }
  return { os, architecture, ...(variant !== undefined && { variant }) };
}

export function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join('/');
}

/** Whether an image of `found` is one for `wanted`; without a variant any will do. */
export function fits(found: Platform, wanted: Platform): boolean {
  const sameVariant = wanted.variant === undefined || wanted.variant === found.variant;
  return found.os === wanted.os && found.architecture === wanted.architecture && sameVariant;
}

/** The image of an index that is for a platform; `no_platform` says which there are. */
export function choosePlatform(manifests: readonly Descriptor[], wanted: Platform, place: string): Descriptor {
  const chosen = manifests.find(({ platform }) => platform && fits(platform, wanted));
  if (chosen) return chosen;
  const there = manifests.flatMap(({ platform }) =>
    platform && platform.os !== 'unknown' ? platformText(platform) : [],
  );
  throw new RegistryError('no_platform', `${place} is not there for ${platformText(wanted)}`, {
    hint: there.length === 0 ? 'Its index names no platforms.' : `It is there for ${[...new Set(there)].join(', ')}.`,
  });
}
