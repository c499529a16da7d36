import { ownRelease } from './deploy-test.ts';
import { SluiceError } from '../model/errors.ts';
import type { Operation } from './operation.ts';
import { recordEvidence } from './records.ts';

/** The step before this one has proven the tests; this one proves what they tested, and puts it on record. */
export const recordTests: Operation = async (context) => {
  const { site, run, commit, say, clock } = context;
  const release = await ownRelease(context);
  const routed = await site.routed('testing');
  if (routed !== release.name) {
    throw new SluiceError(
      'ERR_GATE',
      `the testing address leads to ${routed ?? 'nothing'} and not to ${release.name}: nobody knows what was tested`,
      { hint: 'Another run deployed meanwhile; start this one again.' },
    );
  }
  const passedAt = new Date(clock()).toISOString();
  await recordEvidence(site, { release: release.name, run, commit, passedAt });
  say(`${release.name} passed its tests`);
  return {};
};
