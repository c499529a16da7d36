import { readdirSync } from 'node:fs';
import test from 'ava';
import type { Reason } from '../../../model/outcome.ts';
import { endVerdict } from './end-verdict.ts';
import { lastViewOf, situationNames, situationOf, viewsOf } from './situations-fixture.ts';
import { waitingReason } from './waiting-reason.ts';

/** Long after anything that is stuck counts as stuck. */
const later = 300_000;
const patience = 60_000;

type Wait = readonly [reason: Reason, hope: 'none' | 'soon' | 'later', message: RegExp];

/** Attempts that do not begin. `soon` becomes final once the caller's patience is at its end, `later` never. */
const waiting: Readonly<Record<string, Wait>> = {
  'claim-missing': ['volume', 'later', /^persistentvolumeclaim "data" not found$/],
  'claim-unbound': ['volume', 'later', /unbound immediate PersistentVolumeClaims/],
  'config-map-missing': ['container_config', 'none', /^the step: configmap "settings" not found$/],
  'config-runs-as-root': ['container_config', 'none', /runAsNonRoot and image will run as root$/],
  'config-secret-key-missing': ['container_config', 'none', /couldn't find key token in Secret/],
  'config-secret-missing': ['container_config', 'none', /^the step: secret "npm-token" not found$/],
  'container-seccomp-missing': ['start_error', 'none', /^the step cannot be started: cannot load seccomp profile/],
  'image-for-other-platform': ['image_pull', 'none', /is not made for the machine of the node: no match for platform/],
  'image-name-invalid': ['image_invalid', 'none', /^"Registry\/Some Thing:1" is not the name of an image$/],
  'image-never-pulled': ['image_pull', 'none', /^image not-on-the-node:1 is not on the node and must not be pulled$/],
  'image-not-found': ['image_pull', 'none', /^image localhost:5000\/nothing\/here:1 does not exist: not found$/],
  'image-of-agent-not-found': ['image_pull', 'none', /^image localhost:5000\/nothing\/agent:1 does not exist/],
  'job-suspended': ['quota', 'later', /^the Job is suspended/],
  'limit-range-refuses': [
    'admission_denied',
    'none',
    /^maximum memory usage per Container is 64Mi, but limit is 256Mi$/,
  ],
  'node-selector-without-node': ['unschedulable', 'later', /1 has other labels than disk=nvme$/],
  'pod-invalid': ['admission_denied', 'none', /^the pod is not valid: .* less than or equal to memory limit of 64Mi$/],
  'pod-security-refuses': ['admission_denied', 'none', /^Pod Security "restricted:latest" .* runAsNonRoot != true/],
  'policy-refuses': ['admission_denied', 'none', /^policy "reasons-no-latest": every pod needs the label team$/],
  'priority-class-missing': ['admission_denied', 'none', /^there is no priority class "urgent"$/],
  'quota-needs-limits': ['quota', 'none', /^quota "team": must specify limits.memory for: agent,step$/],
  'quota-pods': ['quota', 'none', /^quota "team" allows pods 0 in all, and the pod needs 1$/],
  'quota-too-small': ['quota', 'none', /^quota "team" allows requests.memory 64Mi in all, and the pod needs 272Mi$/],
  'quota-used-up': ['quota', 'later', /^quota "team" is used up: requests.memory needs 48Mi, 96Mi of 128Mi is used$/],
  'registry-answers-401': ['image_pull', 'none', /is refused by its registry: .*401 Unauthorized$/],
  'registry-answers-403': ['image_pull', 'none', /is refused by its registry: .*403 Forbidden$/],
  'registry-answers-429': ['image_pull', 'soon', /cannot be pulled at present: .*429 Too Many Requests$/],
  'registry-answers-503': ['image_pull', 'soon', /cannot be pulled at present: .*503 Service Unavailable$/],
  'registry-refuses-connection': ['image_pull', 'soon', /cannot be pulled at present: .*connection refused$/],
  'registry-unknown-host': ['image_pull', 'soon', /cannot be pulled at present: .*no such host$/],
  'runtime-class-without-handler': ['pod_setup', 'soon', /no runtime for "kata" is configured$/],
  'scheduling-gate': ['quota', 'later', /scheduling gate/],
  'service-account-missing': ['admission_denied', 'soon', /^there is no service account "deployer"$/],
  'service-image-not-found': ['image_pull', 'none', /^image localhost:5000\/nothing\/db:1 does not exist/],
  'taint-not-tolerated': ['unschedulable', 'later', /3 have taints that the pod does not tolerate$/],
  'too-much-cpu-and-memory': [
    'unschedulable',
    'later',
    /^no node fits \(1 in all\): 1 has too little cpu left \(the pod needs 64\); 1 has too little memory left/,
  ],
  'too-much-memory': ['unschedulable', 'later', /1 has too little memory left \(the pod needs 640Gi\)$/],
  'unknown-resource': ['unschedulable', 'later', /1 has too little nvidia.com\/gpu left \(the pod needs 1\)$/],
  'volume-host-path-missing': ['volume', 'soon', /^volume "host": hostPath type check failed/],
  'volume-secret-missing': ['volume', 'soon', /^volume "token": secret "npm-token" not found$/],
  'webhook-down': ['admission_denied', 'soon', /does not answer: .*connection refused$/],
  'webhook-refuses': ['admission_denied', 'none', /: images must come from registry.example.com$/],
};

/** Attempts that end. */
const ended: Readonly<Record<string, readonly [Reason | 'succeeded', message?: RegExp]>> = {
  'agent-ends-before-step': ['agent_failed', /before the step began/],
  'agent-exits-1': ['agent_failed', /^the agent ended with exit code 1$/],
  'agent-exits-1-after-step': ['succeeded'],
  'agent-out-of-memory': ['agent_failed', /^the agent ran out of memory$/],
  'command-killed': ['signalled', /^SIGKILL \(exit code 137\)$/],
  'command-not-found': ['exit_code', /^exit code 127: a command was not found$/],
  'command-terminated': ['signalled', /^SIGTERM \(exit code 143\)$/],
  'container-vanishes': ['signalled', /^SIGKILL/],
  'evicted-by-api': ['evicted', /Eviction API: evicting/],
  'evicted-by-api-after-step': ['succeeded'],
  'evicted-by-api-exit-0': ['evicted', /Eviction API: evicting/],
  'evicted-for-ephemeral-storage': ['disk_limit', /exceeds the total limit of containers 16Mi/],
  'evicted-for-volume-size': ['disk_limit', /^Usage of EmptyDir volume "scratch" exceeds the limit "16Mi"/],
  'exit-code-3': ['exit_code', /^exit code 3$/],
  'job-deadline': ['deadline', /longer than specified deadline/],
  'job-deadline-exit-0': ['deadline', /longer than specified deadline/],
  'job-deadline-while-pending': ['unschedulable', /other labels than disk=nvme; so it waited until the deadline/],
  'job-deleted': ['pod_deleted', /^the Job of the attempt was deleted$/],
  'job-deleted-in-background': ['pod_deleted', /^the Job of the attempt was deleted$/],
  'memory-limit-too-low-to-start': ['oom', /unable to set memory limit to 524288/],
  'namespace-deleted': ['pod_deleted', /^the pod was deleted$/],
  'node-refuses-affinity': ['unschedulable', /didn't match Pod's node affinity/],
  'node-refuses-cpu': ['unschedulable', /enough resource: cpu/],
  'node-removed': ['node_lost', /node no longer exists/],
  'node-shutdown': ['node_shutdown', /imminent node shutdown/],
  'node-shutdown-exit-0': ['node_shutdown', /imminent node shutdown/],
  'node-shutdown-refuses-pod': ['node_shutdown', /rejected as the node is shutting down/],
  'node-tainted': ['node_lost', /says nothing more/],
  'node-unreachable': ['node_lost', /says nothing more/],
  'node-unreachable-of-deleted-pod': ['node_lost', /which was running pod .* is unresponsive/],
  'out-of-memory': ['oom', /^the command was killed: memory limit 48Mi$/],
  'out-of-memory-in-child': ['oom', /memory limit 48Mi$/],
  'out-of-memory-in-child-exit-1': ['oom', /^a process was killed, and the command ended with exit code 1/],
  'out-of-memory-in-child-ignored': ['oom', /^a process was killed, and the command ended with exit code 0/],
  'pod-deadline': ['deadline', /longer than the specified deadline/],
  'pod-deleted': ['pod_deleted', /^the pod was deleted$/],
  'pod-deleted-after-step': ['succeeded'],
  'pod-deleted-by-force': ['pod_deleted', /^the pod was deleted$/],
  'pod-deleted-exit-0': ['pod_deleted', /^the pod was deleted$/],
  preempted: ['preempted', /preempting to accommodate a higher priority pod/],
  'preempted-by-kubelet': ['preempted', /to admit critical pod/],
  'runtime-loses-container': ['node_lost', /^the runtime lost the containers of the pod/],
  'service-ends-with-step': ['succeeded'],
  'service-exits': ['service_failed', /^service "db" ended with exit code 2 while the step needed it$/],
  'service-out-of-memory': ['service_failed', /^service "db" ran out of memory/],
  'service-program-missing': ['service_failed', /exec: "postgres": executable file not found/],
  'start-agent-program-missing': ['agent_failed', /exec: "sluice-agent": executable file not found/],
  'start-program-missing': ['start_error', /^exec: "bash": executable file not found in \$PATH$/],
  'start-program-not-executable': ['start_error', /^exec: "\/etc\/passwd-like": permission denied$/],
  'start-working-directory-is-file': ['start_error', /not a directory$/],
  succeeds: ['succeeded'],
};

test('every situation on file has an expectation, and a manifest unless it was written after the source', (t) => {
  t.deepEqual([...Object.keys(waiting), ...Object.keys(ended)].toSorted(), [...situationNames]);
  const captured = situationNames.filter((name) => situationOf(name).source.startsWith('Kubernetes '));
  const manifests = readdirSync('e2e/failures').filter((file) => file.endsWith('.yaml'));
  t.deepEqual(manifests.toSorted(), captured.map((name) => `${name}.yaml`).toSorted());
});

for (const [name, [reason, hope, message]] of Object.entries(waiting)) {
  test(`${name}: waits because of ${reason}`, (t) => {
    const view = lastViewOf(situationOf(name));
    const found = waitingReason(view, patience);
    t.is(endVerdict(view), undefined);
    t.like(found, { reason, final: hope === 'none' });
    t.regex(found?.message ?? '', message);
    t.true((found?.since ?? 0) > view.now - patience && (found?.since ?? Infinity) <= view.now);
    t.is(waitingReason({ ...view, now: view.now + patience }, patience)?.final, hope !== 'later');
  });
}

for (const [name, [reason, message]] of Object.entries(ended)) {
  test(`${name}: ends as ${reason}`, (t) => {
    const situation = situationOf(name);
    const last = lastViewOf(situation);
    const ends = [...viewsOf(situation), { ...last, now: last.now + later }].map(endVerdict);
    const first = ends.find((end) => end !== undefined);
    t.is(first?.verdict.reason ?? first?.verdict.outcome, reason);
    if (message) t.regex(first?.verdict.message ?? '', message);
    t.true((first?.evidence.length ?? 0) > 0);
  });
}

test('an attempt that runs waits for nothing', (t) => {
  for (const name of ['succeeds', 'exit-code-3', 'preempted', 'out-of-memory']) {
    const running = viewsOf(situationOf(name)).filter(({ pod }) => pod?.status?.phase === 'Running');
    t.true(running.length > 0);
    for (const view of running) t.is(waitingReason(view, patience), undefined);
  }
});

test('the kubelet’s words on the end come with the verdict: exit code, signal, times', (t) => {
  const end = endVerdict(lastViewOf(situationOf('command-killed')));
  t.like(end, { exitCode: 137, signal: 'SIGKILL', stopped: true, verdict: { outcome: 'failed', reason: 'signalled' } });
  t.true((end?.finishedAt ?? 0) >= (end?.startedAt ?? Infinity));
});

test('a step on a lost node may still run, and the verdict says so', (t) => {
  const view = lastViewOf(situationOf('node-unreachable'));
  t.is(endVerdict(view), undefined);
  t.like(endVerdict({ ...view, now: view.now + later }), { stopped: false, verdict: { reason: 'node_lost' } });
});

test('without a pod nothing is green, and a Job that still works has not ended', (t) => {
  const view = { ...lastViewOf(situationOf('succeeds')), pod: undefined };
  t.is(endVerdict(view)?.verdict.reason, 'pod_deleted');
  t.is(endVerdict({ ...view, job: undefined })?.verdict.reason, 'pod_deleted');
  t.is(endVerdict({ ...view, podUid: undefined })?.verdict.reason, 'pod_deleted');
  const [begun] = viewsOf(situationOf('succeeds'));
  t.is(begun && endVerdict(begun), undefined);
});

test('a second pod of the Job is not the pod on record', (t) => {
  const view = lastViewOf(situationOf('succeeds'));
  t.is(endVerdict({ ...view, podUid: 'another' })?.verdict.reason, 'pod_deleted');
});
