import { quantity } from '../../../model/quantity.ts';
import { shorten } from './shorten.ts';
import type { Trouble } from './trouble.ts';

/** A rule answers the trouble for a refusal that it knows. */
type Rule = readonly [pattern: RegExp, explain: (...groups: readonly string[]) => Trouble];

const denied = (message: string, hope: Trouble['hope'] = 'none'): Trouble => ({
  reason: 'admission_denied',
  message,
  hope,
});

const rules: readonly Rule[] = [
  [/^exceeded quota: ([^,]+), requested: (\S+), used: (\S+), limited: (\S+)$/, quotaExceeded],
  [
    /^failed quota: ([^:]+): (must specify .*)$/,
    (name, words) => ({ reason: 'quota', message: `quota "${name}": ${words}`, hope: 'none' }),
  ],
  [/^violates PodSecurity "([^"]+)": (.*)$/, podSecurity],
  [/^admission webhook "([^"]+)" denied the request:? ?(.*)$/, (name, words) => denied(`webhook "${name}": ${words}`)],
  [
    /failed calling webhook "([^"]+)": (.*)$/,
    (name, words) => denied(`webhook "${name}" does not answer: ${words}`, 'soon'),
  ],
  [
    /^ValidatingAdmissionPolicy '([^']+)' with binding '[^']*' denied request: (.*)$/,
    (name, words) => denied(`policy "${name}": ${words}`),
  ],
  // The controller that makes the account of a new namespace may be a moment late.
  [/serviceaccount "([^"]+)" not found/, (name) => denied(`there is no service account "${name}"`, 'soon')],
  [/^no PriorityClass with name (\S+) was found/, (name) => denied(`there is no priority class "${name}"`)],
  [/because it is being terminated/, () => denied('the namespace is being deleted')],
  [
    /(?:timed out|timeout|connection refused|try again|too many requests|object has been modified)/i,
    () => denied('the cluster could not decide', 'soon'),
  ],
];

/** Why the cluster refused to make a pod (`FailedCreate` of the Job), or the Job itself: the words of its answer explained. */
export function explainRefusal(words: string): Trouble {
  const text = bare(words);
  for (const [pattern, explain] of rules) {
    const match = pattern.exec(text);
    if (match) return shortened(explain(...match.slice(1)), text);
  }
  return denied(shorten(text));
}

/** The refusal without the names that only the cluster knows. */
function bare(words: string): string {
  return words
    .replace(/\s+/g, ' ')
    .replace(/^Error creating: /, '')
    .replace(/^\S+ "[^"]*" is forbidden: /, '')
    .replace(/^\S+ "[^"]*" is invalid: /, 'the pod is not valid: ')
    .trim();
}

function shortened(trouble: Trouble, text: string): Trouble {
  const message = trouble.message === 'the cluster could not decide' ? `${trouble.message}: ${text}` : trouble.message;
  return { ...trouble, message: shorten(message) };
}

/** `requests.memory=48Mi,pods=1` three times over: what the pod needs, what is taken, what there is. */
function quotaExceeded(name = '', requested = '', used = '', limited = ''): Trouble {
  const [taken, limits] = [pairs(used), pairs(limited)];
  const lines = [...pairs(requested)].map(([resource, need]) => {
    const limit = limits.get(resource) ?? '?';
    return { resource, need, limit, taken: taken.get(resource) ?? '?', never: exceeds(need, limit) };
  });
  const never = lines.filter((line) => line.never);
  if (never.length > 0) {
    const words = never.map(({ resource, need, limit }) => `${resource} ${limit} in all, and the pod needs ${need}`);
    return { reason: 'quota', message: `quota "${name}" allows ${words.join('; ')}`, hope: 'none' };
  }
  const words = lines.map(
    ({ resource, need, taken, limit }) => `${resource} needs ${need}, ${taken} of ${limit} is used`,
  );
  return { reason: 'quota', message: `quota "${name}" is used up: ${words.join('; ')}`, hope: 'later' };
}

function pairs(list: string): ReadonlyMap<string, string> {
  return new Map(
    list.split(',').map((pair): [string, string] => {
      const [resource = '', amount = ''] = pair.split('=');
      return [resource, amount];
    }),
  );
}

function exceeds(need: string, limit: string): boolean {
  const [a, b] = [quantity(need), quantity(limit)];
  return a !== undefined && b !== undefined && a > b;
}

/** The rules that the pod breaks; what each of its containers must set is in the evidence. */
function podSecurity(level = '', words = ''): Trouble {
  const broken = words.split(/ \([^()]*\)(?:, )?/).filter((part) => part !== '');
  return denied(`Pod Security "${level}" of the namespace forbids: ${broken.join(', ')}`);
}
