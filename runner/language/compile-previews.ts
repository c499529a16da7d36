import type { Preview } from '../model/backend.ts';
import type { TriggerEvent } from '../model/run-request.ts';
import { checkPatterns } from './check-triggers.ts';
import { checkVariables } from './compile-environment.ts';
import { durationMs } from './compile-limits.ts';
import { matchesPatterns } from './match-pattern.ts';
import type { PipelineFile } from './pipeline-file.generated.ts';
import { nameOfBranchPreview, nameOfPullRequestPreview } from './preview-name.ts';
import { under } from './problem-list.ts';
import type { ProblemList, Spot } from './problem-list.ts';

type Described = NonNullable<PipelineFile['backend']>;
type Previews = NonNullable<Described['previews']>;

/** What is left of the 63 characters of a label of DNS for `preview-SLUG-SERVICE-r12345`. */
const longestService = 22;

/** The preview that the run works in, of the rules `previews` of its backend; undefined when it is on the way to production. */
export function compilePreview(
  problems: ProblemList,
  root: Spot,
  { previews, services = {} }: Described,
  trigger: TriggerEvent,
): Preview | undefined {
  if (previews === undefined) return undefined;
  const spot = under(root, 'backend', 'previews');
  const { branches, pull_requests: pullRequests = false, ttl, max = 5, env = {} } = previews;
  checkVariables(problems, under(spot, 'env'), env);
  if (branches !== undefined) checkPatterns(problems, under(spot, 'branches'), branches);
  else if (!pullRequests) {
    const hint = 'Write `branches: ["feature/**"]`, or `pull_requests: true`.';
    problems.add({ ...spot, part: 'key' }, 'previews-invalid', 'No branch and no pull request gets a preview.', hint);
  }
  for (const service of Object.keys(services)) {
    if (service.length <= longestService) continue;
    const message = `The name of the service \`${service}\` is too long for a backend with previews.`;
    const hint = `Shorten it to ${longestService} characters: the name of the preview stands in front of it.`;
    problems.add({ ...under(root, 'backend', 'services', service), part: 'key' }, 'previews-invalid', message, hint);
  }
  const ttlMs = durationMs(problems, under(spot, 'ttl'), ttl, '72h');
  const shown = subjectOf(previews, trigger);
  return shown && { ...shown, ttlMs, max };
}

/** What of the event is shown; forks have no environments at all. */
function subjectOf(
  { branches, pull_requests: pullRequests }: Previews,
  { event, branch, pullRequest }: TriggerEvent,
): Pick<Preview, 'environment' | 'branch' | 'pullRequest'> | undefined {
  if (pullRequest?.fork === true) return undefined;
  if (event === 'pull_request' && pullRequests === true && pullRequest !== undefined) {
    const { number } = pullRequest;
    return { environment: nameOfPullRequestPreview(number), branch, pullRequest: number };
  }
  if (branch === '' || branches === undefined || !matchesPatterns(branches, branch)) return undefined;
  return { environment: nameOfBranchPreview(branch), branch };
}
