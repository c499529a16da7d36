import type { Comment } from './parse-script.ts';
import { rules } from './rules.ts';
import type { RuleId } from './rules.ts';

/** `-- sluice:allow RULE until 2027-01-31: reason`: one rule, for the statement that follows or ends on the same line. */
export interface Waiver {
  readonly rule: RuleId;
  /** The last day on which it holds, YYYY-MM-DD in UTC. */
  readonly until: string;
  readonly reason: string;
}

export type ReadWaiver =
  | { readonly ok: true; readonly waiver: Waiver }
  | {
      readonly ok: false;
      readonly rule: 'waiver-malformed' | 'waiver-unknown-rule' | 'waiver-expired';
      readonly reason: string;
    };

const form = /^sluice:allow\s+([\w-]+)\s+until\s+(\d{4}-\d\d-\d\d)\s*:\s*(\S.*)$/s;

/** The waiver that a comment holds, undefined when it is no waiver. `today` is YYYY-MM-DD in UTC. */
export function readWaiver({ text }: Comment, today: string): ReadWaiver | undefined {
  const words = text.replace(/^--|^\/\*|\*\/$/g, '').trim();
  if (!/^sluice:allow\b/.test(words)) return undefined;
  const [, rule, until, reason] = form.exec(words) ?? [];
  if (rule === undefined || until === undefined || reason === undefined || !isDay(until)) {
    return { ok: false, rule: 'waiver-malformed', reason: 'This waiver has no rule, no day, or no reason.' };
  }
  if (!isRule(rule)) return { ok: false, rule: 'waiver-unknown-rule', reason: `There is no rule ${rule}.` };
  if (until < today) return { ok: false, rule: 'waiver-expired', reason: `The waiver of ${rule} ended on ${until}.` };
  return { ok: true, waiver: { rule, until, reason: reason.trim() } };
}

function isRule(word: string): word is RuleId {
  return Object.hasOwn(rules, word);
}

/** Not every four, two and two digits are a day. */
function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
