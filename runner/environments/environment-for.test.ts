import test from 'ava';
import type { Preview } from '../model/backend.ts';
import { operations } from '../model/operations.ts';
import { environmentFor } from './environment-for.ts';

const preview: Preview = { environment: 'preview-a', branch: 'a', ttlMs: 1, max: 1 };

test('R003-7: no operation of a preview gets the testing database, and none that promotes gets that of production', (t) => {
  for (const [name, operation] of Object.entries(operations)) {
    const { account, database } = { database: undefined, ...operation };
    t.is(environmentFor({}, { account, database }), database, name);
    const inPreview = environmentFor({ preview }, { account, database });
    if (database === 'testing') t.is(inPreview, 'preview-a', name);
    else if (account === 'promote') t.is(inPreview, undefined, name);
  }
  t.is(environmentFor({ preview }, operations['copy-schema']), 'production');
});
