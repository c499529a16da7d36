import { LocalBackends } from './local-backends.ts';
import { startSupervisor } from './supervisor-fixture.ts';

export interface TestBackends {
  readonly backends: LocalBackends;
  /** Folder of the environments. */
  readonly folder: string;
  close(): Promise<void>;
}

/** The backends of a machine on which nothing is deployed. */
export async function startLocalBackends(): Promise<TestBackends> {
  const supervisor = await startSupervisor();
  const { folder } = supervisor;
  // It runs already; nobody starts a second one.
  const backends = new LocalBackends({ folder, supervisor: { argv: ['false'], env: {} } });
  return { backends, folder, close: () => supervisor.remove() };
}
