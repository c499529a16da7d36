import type { Json } from '../../model/json.ts';
import type { AttemptFolder } from './attempt-folder.ts';
import type { ProcessIdentity } from './process-table.ts';

/** Where an attempt runs, for people and for `recover`. */
export function placeOf(folder: AttemptFolder, leader: ProcessIdentity): Readonly<Record<string, Json>> {
  return {
    folder: folder.root,
    marker: folder.marker,
    pid: leader.pid,
    processGroup: leader.pid,
    startTime: leader.startTime,
    bootId: leader.bootId,
  };
}
