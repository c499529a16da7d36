/**
 * What a change asks of the code that is live while it is made, mildest first: `expand` adds what old code need not know, `data`
 * changes rows, `contract` takes away what only old code still uses, `breaking` breaks whoever uses it, old code or new.
 */
const changeClasses = ['none', 'expand', 'data', 'contract', 'breaking'] as const;

export type ChangeClass = (typeof changeClasses)[number];

/** The gravest of some classes; `none` of none. */
export function gravest(classes: Iterable<ChangeClass>): ChangeClass {
  let found = 0;
  for (const name of classes) found = Math.max(found, changeClasses.indexOf(name));
  return changeClasses[found] ?? 'none';
}
