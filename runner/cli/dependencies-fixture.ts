import assert from 'node:assert';
import type { Dependencies } from './session.ts';

/** What a command gets that is to touch nothing: all but these parts refuses. */
export function nothingBut(parts: Partial<Dependencies> & Pick<Dependencies, 'environment'>): Dependencies {
  return {
    version: '0',
    open: () => assert.fail('nothing is opened here'),
    tryStep: () => assert.fail('steps are not tried here'),
    serve: () => assert.fail('nothing is served here'),
    archive: () => assert.fail('nothing is archived here'),
    environments: () => assert.fail('nothing is deployed here'),
    database: () => assert.fail('nothing is deployed here'),
    checkout: () => assert.fail('nothing is checked out here'),
    backends: () => assert.fail('nothing is deployed here'),
    operate: () => assert.fail('this is no step'),
    gates: () => Promise.resolve(new Map()),
    ...parts,
  };
}
