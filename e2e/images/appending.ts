import { imageOf } from '../cluster/test-cluster.ts';

/** Arguments of `sluice` that append a folder to the smallest image of the tests. */
export function appending(folder: string, into: string): readonly string[] {
  return ['image', 'append', '--base', imageOf('busybox'), '--from', folder, '--into', into];
}
