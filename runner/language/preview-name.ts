import { hash } from 'node:crypto';
import type { PreviewName } from '../model/backend.ts';

const shownLetters = 16;
const checksumLetters = 7;

/** `preview-pr-12`. */
export function nameOfPullRequestPreview(number: number): PreviewName {
  return `preview-pr-${number}`;
}

/**
 * `preview-feature-login-kfmbpaa`: what can be read of the branch, and a checksum, because `feature/login`, `feature-login` and `Feature/Login` are three. Fit
 * for a label of DNS (RFC 1123), and 32 characters at most. The checksum has letters only, so that no branch has the name of a pull request.
 */
export function nameOfBranchPreview(branch: string): PreviewName {
  const shown = branch
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, shownLetters)
    .replaceAll(/^-+|-+$/g, '');
  return `preview-${shown === '' ? '' : `${shown}-`}${checksum(branch)}`;
}

/** The letters `a` to `p` for the digits of a hexadecimal number. */
function checksum(text: string): string {
  const digits = hash('sha256', text).slice(0, checksumLetters);
  return digits.replaceAll(/./g, (digit) => String.fromCodePoint(97 + Number.parseInt(digit, 16)));
}
