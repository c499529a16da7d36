export default {
  files: ['runner/**/*.test.ts', 'workflows/**/*.test.ts', 'e2e/**/*.test.ts'],
  extensions: ['ts'],
  // Processes, because threads have neither signals nor a working directory of their own.
  workerThreads: false,
  concurrency: 2,
  // Pipes are opened by one part of Node and closed by another; its worker threads take that for a leak and close them.
  workerThreads: false,
  timeout: '2m',
};
