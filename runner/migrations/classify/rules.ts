import type { ChangeClass } from './change-class.ts';

/** `lock`: the live system stands still. `compatibility`: live code fails. `certainty`: nobody can tell before it runs. */
type Concern = 'lock' | 'compatibility' | 'certainty';

export interface Rule {
  /** The class that a statement has at least, when the rule finds something in it. */
  readonly class: ChangeClass;
  readonly concern: Concern;
  /** What to write instead. */
  readonly advice: string;
}

/** Every rule of `sluice migrate lint`; docs/migrations.md has a row for each. Names never change: waivers use them. */
export const rules = {
  'index-without-concurrently': {
    class: 'expand',
    concern: 'lock',
    advice: 'Write CONCURRENTLY, in a file of its own with the line "-- sluice:no-transaction".',
  },
  'concurrently-in-transaction': {
    class: 'expand',
    concern: 'certainty',
    advice: 'Move the statement to a file of its own that runs outside a transaction: "-- sluice:no-transaction".',
  },
  'rewriting-column': {
    class: 'expand',
    concern: 'lock',
    advice: 'Add the column without the default, set the default in a second statement, and fill old rows in batches.',
  },
  'table-rewrite': {
    class: 'expand',
    concern: 'lock',
    advice: 'Do it in a maintenance window, or copy into a new table while the old one serves.',
  },
  'constraint-without-not-valid': {
    class: 'expand',
    concern: 'lock',
    advice: 'Add the constraint NOT VALID, and VALIDATE it in a later migration.',
  },
  'constraint-builds-index': {
    class: 'expand',
    concern: 'lock',
    advice: 'Build a unique index CONCURRENTLY first, then add the constraint USING INDEX.',
  },
  'validate-in-same-transaction': {
    class: 'expand',
    concern: 'lock',
    advice: 'Validate in a later migration; the lock that ADD CONSTRAINT took is held until the transaction ends.',
  },
  'not-null-scan': {
    class: 'contract',
    concern: 'lock',
    advice: 'Add CHECK (column IS NOT NULL) NOT VALID, validate it in a later migration, and SET NOT NULL after that.',
  },
  'partition-without-concurrently': {
    class: 'contract',
    concern: 'lock',
    advice: 'Write DETACH PARTITION … CONCURRENTLY, outside a transaction.',
  },
  'refresh-without-concurrently': {
    class: 'data',
    concern: 'lock',
    advice: 'Write REFRESH MATERIALIZED VIEW CONCURRENTLY; it needs a unique index on the view.',
  },
  'explicit-lock': {
    class: 'expand',
    concern: 'lock',
    advice: 'Leave LOCK out: each statement takes the weakest lock that it needs.',
  },
  'unbatched-change': {
    class: 'data',
    concern: 'lock',
    advice: 'Change some thousand rows at a time: WHERE id IN (SELECT id … LIMIT 1000), or a range of ids.',
  },
  'set-not-null': {
    class: 'contract',
    concern: 'compatibility',
    advice: 'Do it in the contract phase, when no live release writes NULL there any more.',
  },
  'drop-column': {
    class: 'contract',
    concern: 'compatibility',
    advice: 'First deploy a release that does not use the column; drop it in the contract phase after that.',
  },
  'drop-table': {
    class: 'contract',
    concern: 'compatibility',
    advice: 'First deploy a release that does not use the table; drop it in the contract phase after that.',
  },
  'drop-object': {
    class: 'contract',
    concern: 'compatibility',
    advice: 'First deploy a release that does not use it; drop it in the contract phase after that.',
  },
  'drop-default': {
    class: 'contract',
    concern: 'compatibility',
    advice: 'Do it in the contract phase, when every live release writes the column itself.',
  },
  'drop-unique': {
    class: 'contract',
    concern: 'compatibility',
    advice: 'First deploy a release without ON CONFLICT on these columns; drop it in the contract phase after that.',
  },
  revoke: {
    class: 'contract',
    concern: 'compatibility',
    advice: 'Take rights away in the contract phase, when no live release needs them.',
  },
  rename: {
    class: 'breaking',
    concern: 'compatibility',
    advice: 'Add the new name, write to both, move readers over, and drop the old name in the contract phase.',
  },
  'column-type-change': {
    class: 'breaking',
    concern: 'lock',
    advice: 'Add a column of the new type, write to both, copy in batches, and drop the old one in the contract phase.',
  },
  'required-column': {
    class: 'breaking',
    concern: 'compatibility',
    advice: 'Give the column a constant default, or leave NOT NULL out until every live release writes it.',
  },
  'row-security': {
    class: 'breaking',
    concern: 'compatibility',
    advice: 'Create the policies first; without one, everybody but the owner sees no rows.',
  },
  truncate: {
    class: 'breaking',
    concern: 'compatibility',
    advice: 'Leave data where it is; what nobody needs goes with its table in the contract phase.',
  },
  'database-statement': {
    class: 'breaking',
    concern: 'compatibility',
    advice: 'A migration changes the schema of one database; do this outside it.',
  },
  'enum-value-used': {
    class: 'expand',
    concern: 'certainty',
    advice: 'Use the new value in a later migration: PostgreSQL allows it only after the transaction that added it.',
  },
  'opaque-code': {
    class: 'breaking',
    concern: 'certainty',
    advice: 'Write the statements out, or waive the rule with the reason why they are safe.',
  },
  'unknown-statement': {
    class: 'breaking',
    concern: 'certainty',
    advice: 'Waive the rule with the reason why the statement is safe.',
  },
  'syntax-error': {
    class: 'breaking',
    concern: 'certainty',
    advice: 'Write the SQL of PostgreSQL; commands of psql, such as \\set, are none.',
  },
  'waiver-malformed': {
    class: 'none',
    concern: 'certainty',
    advice: 'Write: -- sluice:allow RULE until YYYY-MM-DD: reason',
  },
  'waiver-unknown-rule': {
    class: 'none',
    concern: 'certainty',
    advice: 'docs/migrations.md lists the rules.',
  },
  'waiver-expired': {
    class: 'none',
    concern: 'certainty',
    advice: 'Look at the reason again; give a later date, or change the statement.',
  },
  'waiver-unused': {
    class: 'none',
    concern: 'certainty',
    advice: 'Remove it: the statement that it stands before does nothing of the kind.',
  },
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleId = keyof typeof rules;
