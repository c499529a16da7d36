import type { Define } from './define.ts';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly group: 'Pipelines' | 'Runs' | 'Server' | 'Tools';
  readonly hidden?: boolean;
  /** It speaks of the other commands, so that all are loaded. */
  readonly needsAll?: boolean;
  /** Loaded only when the command is named, so that each starts fast. */
  load(): Promise<Define>;
}

export const commands: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'write a pipeline file that fits the repository',
    group: 'Pipelines',
    load: async () => (await import('./commands/init.ts')).defineInit,
  },
  {
    name: 'lint',
    summary: 'check a pipeline file',
    group: 'Pipelines',
    load: async () => (await import('./commands/lint.ts')).defineLint,
  },
  {
    name: 'plan',
    summary: 'show the graph and the exact steps that a run would have',
    group: 'Pipelines',
    load: async () => (await import('./commands/plan.ts')).definePlan,
  },
  {
    name: 'run',
    summary: 'run the pipeline of a repository',
    group: 'Runs',
    load: async () => (await import('./commands/run.ts')).defineRun,
  },
  {
    name: 'runs',
    summary: 'list runs, newest first',
    group: 'Runs',
    load: async () => (await import('./commands/runs.ts')).defineRuns,
  },
  {
    name: 'show',
    summary: 'show the steps of a run',
    group: 'Runs',
    load: async () => (await import('./commands/show.ts')).defineShow,
  },
  {
    name: 'logs',
    summary: 'print what steps wrote',
    group: 'Runs',
    load: async () => (await import('./commands/logs.ts')).defineLogs,
  },
  {
    name: 'tests',
    summary: 'list test results, red ones first',
    group: 'Runs',
    load: async () => (await import('./commands/tests.ts')).defineTests,
  },
  {
    name: 'artifacts',
    summary: 'list or download the files that steps kept',
    group: 'Runs',
    load: async () => (await import('./commands/artifacts.ts')).defineArtifacts,
  },
  {
    name: 'rerun',
    summary: 'repeat the failed steps of a run, or all from one step on',
    group: 'Runs',
    load: async () => (await import('./commands/rerun.ts')).defineRerun,
  },
  {
    name: 'resume',
    summary: 'go on with a run on Kubernetes whose process is gone',
    group: 'Runs',
    load: async () => (await import('./commands/resume.ts')).defineResume,
  },
  {
    name: 'cancel',
    summary: 'cancel a run that is under way',
    group: 'Runs',
    load: async () => (await import('./commands/cancel.ts')).defineCancel,
  },
  {
    name: 'approve',
    summary: 'approve or reject a step that waits for it',
    group: 'Runs',
    load: async () => (await import('./commands/approve.ts')).defineApprove,
  },
  {
    name: 'serve',
    summary: 'answer requests over HTTP until a signal comes',
    group: 'Server',
    load: async () => (await import('./commands/serve.ts')).defineServe,
  },
  {
    name: 'bridge',
    summary: 'announce the pushes of a post-receive hook to a server',
    group: 'Server',
    load: async () => (await import('./commands/bridge.ts')).defineBridge,
  },
  {
    name: 'token',
    summary: 'make, list and revoke the tokens that the API takes',
    group: 'Server',
    load: async () => (await import('./commands/token.ts')).defineToken,
  },
  {
    name: 'repository',
    summary: 'add, list or remove repositories whose pushes a server runs',
    group: 'Server',
    load: async () => (await import('./commands/repository.ts')).defineRepository,
  },
  {
    name: 'backend',
    summary: 'make, show, put right, take back or delete backends where they are deployed',
    group: 'Server',
    load: async () => (await import('./commands/backend.ts')).defineBackend,
  },
  {
    name: 'image',
    summary: 'make an image of files on a base image and push it, without a daemon',
    group: 'Tools',
    load: async () => (await import('./commands/image.ts')).defineImage,
  },
  {
    name: 'junit',
    summary: 'read JUnit reports and say what Sluice makes of them',
    group: 'Tools',
    load: async () => (await import('./commands/junit.ts')).defineJunit,
  },
  {
    name: 'check',
    summary: 'check an app by requests or under load, or what scanners found, as gates do',
    group: 'Tools',
    load: async () => (await import('./commands/check.ts')).defineCheck,
  },
  {
    name: 'migrate',
    summary: 'check the SQL of migrations before they meet a live database',
    group: 'Tools',
    load: async () => (await import('./commands/migrate.ts')).defineMigrate,
  },
  {
    name: 'database',
    summary: 'list the backups of a production database, and restore one',
    group: 'Tools',
    load: async () => (await import('./commands/database.ts')).defineDatabase,
  },
  {
    name: 'environments',
    summary: 'show, start or stop the backends that are deployed on this machine',
    group: 'Tools',
    load: async () => (await import('./commands/environments.ts')).defineEnvironments,
  },
  {
    name: 'doctor',
    summary: 'check that this machine has what runs need',
    group: 'Tools',
    load: async () => (await import('./commands/doctor.ts')).defineDoctor,
  },
  {
    name: 'backup',
    summary: 'copy the data folder while it is in use',
    group: 'Tools',
    load: async () => (await import('./commands/backup.ts')).defineBackup,
  },
  {
    name: 'restore',
    summary: 'bring a backup back into an empty data folder',
    group: 'Tools',
    load: async () => (await import('./commands/restore.ts')).defineRestore,
  },
  {
    name: 'config',
    summary: 'print the configuration that counts here, without secrets',
    group: 'Tools',
    load: async () => (await import('./commands/config.ts')).defineConfig,
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    group: 'Tools',
    load: async () => (await import('./commands/completion.ts')).defineCompletion,
  },
  {
    name: 'operation',
    summary: 'do what a gate asks for, as the command of its step',
    group: 'Tools',
    hidden: true,
    load: async () => (await import('./commands/operation.ts')).defineOperation,
  },
  {
    name: 'complete',
    summary: 'list what may follow on the command line',
    group: 'Tools',
    hidden: true,
    load: async () => (await import('./commands/complete.ts')).defineComplete,
  },
  {
    name: 'reference',
    summary: 'print the page about the command line',
    group: 'Tools',
    hidden: true,
    needsAll: true,
    load: async () => (await import('./commands/reference.ts')).defineReference,
  },
];
