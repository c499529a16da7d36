import type { RunArtifact } from '../../results/report/run-artifacts.ts';
import type { Palette } from '../terminal/palette.ts';
import { padTo, widthOf } from '../terminal/text.ts';
import { formatBytes } from './format-bytes.ts';
import { oneLine } from './words.ts';

/** One line per file: step, size, beginning of the digest, path. */
export function artifactRows(artifacts: readonly RunArtifact[], palette: Palette): readonly string[] {
  const steps = Math.max(0, ...artifacts.map(({ step }) => widthOf(step)));
  const sizes = Math.max(0, ...artifacts.map(({ bytes }) => formatBytes(bytes).length));
  return artifacts.map(
    ({ step, bytes, sha256, path }) =>
      `${padTo(step, steps)}  ${formatBytes(bytes).padStart(sizes)}  ${palette.faint(sha256.slice(0, 12))}  ${oneLine(path)}`,
  );
}
