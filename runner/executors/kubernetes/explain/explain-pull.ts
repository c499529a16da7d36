import { shorten } from './shorten.ts';
import type { Trouble } from './trouble.ts';

/** Faults of the way to the registry, or a registry that is busy. They are looked for first: they quote all sorts of words. */
const passing =
  /dial tcp|no such host|i\/o timeout|connection re(?:fused|set)|TLS handshake|deadline exceeded|timed? ?out|\bEOF\b|server misbehaving|network is unreachable|no space left|toomanyrequests|too many requests|pull QPS exceeded|\b(?:429|50\d)\b|temporarily unavailable/i;

const missing = /not found|manifest unknown|name unknown|does not exist|\b404\b/i;
const forbidden = /unauthorized|authorization failed|access denied|\bdenied\b|forbidden|insufficient_scope|\b40[13]\b/i;
const otherPlatform = /no match for platform|no matching manifest/i;

/** Why an image does not come, from the words of the kubelet. */
export function explainPull(image: string, words: string): Trouble {
  const evidence = innermost(words, image);
  const trouble = (says: string, hope: Trouble['hope']): Trouble => ({
    reason: 'image_pull',
    message: `image ${image} ${says}: ${shorten(evidence)}`,
    hope,
  });
  if (passing.test(words)) return trouble('cannot be pulled at present', 'soon');
  if (otherPlatform.test(words)) return trouble('is not made for the machine of the node', 'none');
  if (forbidden.test(words)) return trouble('is refused by its registry', 'none');
  if (missing.test(words)) return trouble('does not exist', 'none');
  return trouble('cannot be pulled', 'soon');
}

/** The registry's own words: each layer of the runtime puts its sentence with the name of the image in front of them. */
function innermost(words: string, image: string): string {
  return words
    .replace(/^Back-off pulling image "[^"]*":? ?/, '')
    .replace(/^ErrImagePull:? ?/, '')
    .replace(/^Failed to pull image "[^"]*": /, '')
    .replace(/rpc error: code = \w+ desc = /g, '')
    .replace(/failed to pull and unpack image "[^"]*": /, '')
    .replace(/failed to resolve reference "[^"]*": /, '')
    .replace(`${image}: `, '');
}
