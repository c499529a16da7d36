export default {
  files: ['runner/**/*.test.ts', 'workflows/**/*.test.ts', 'e2e/**/*.test.ts', 'e2e/**/*.chaos.ts'],
  extensions: ['ts'],
  concurrency: 2,
  // Threads have neither signals nor a working directory of their own, and take pipes that change hands for leaks.
  workerThreads: false,
  // On Node 22 each file would say that SQLite is experimental.
  nodeArguments: ['--disable-warning=ExperimentalWarning'],
  timeout: '2m',
};
