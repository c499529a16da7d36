import { confinedJob } from '../../runner/environments/kubernetes/confined-job.ts';
import { displaced, runJob, taskLabels } from '../../runner/environments/kubernetes/run-task.ts';
import { connect } from '../cluster-api/real-cluster.ts';
import { clusterTest, freshNamespace, imageOf, kubectl } from '../cluster/test-cluster.ts';

clusterTest('a task that has ended well is not green when its pod goes before its output is read', async (t) => {
  const namespace = await freshNamespace(t, 'run-task');
  const cluster = await connect(t);
  const [name, group] = ['quick', 'gate'];
  const task = { name, group, signal: AbortSignal.timeout(60_000) };
  const body = confinedJob({
    name,
    labels: taskLabels(name, group),
    timeoutMs: 60_000,
    container: { name: 'task', image: imageOf('busybox'), command: ['sh', '-c', 'echo the output'] },
  });
  t.deepEqual(await runJob(cluster, namespace, task, body), { exitCode: 0, output: 'the output' });

  // Adopted by its name; somebody takes the pod away just before its log is asked for.
  const read = cluster.log.bind(cluster);
  cluster.log = async (at, options) => {
    await kubectl(['delete', 'pod', '-n', at.namespace, at.name, '--wait=true']);
    return read(at, options);
  };
  t.deepEqual(await runJob(cluster, namespace, task, body), displaced);
});
