import { randomBytes } from 'node:crypto';
import test from 'ava';
import { namespaces } from '../../runner/cluster/resources.ts';
import { executorContract } from '../../runner/executors/executor-contract.ts';
import { connect, subjectIn } from './subject.ts';

const namespace = `contract-${randomBytes(4).toString('hex')}`;

test.before(async () => {
  const cluster = await connect();
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await cluster.create(namespaces, {}, { metadata: { name: namespace, labels } });
  await cluster.close();
});

test.after.always(async () => {
  const cluster = await connect();
  await cluster.delete(namespaces, { name: namespace });
  await cluster.close();
});

executorContract(() => subjectIn(namespace));
