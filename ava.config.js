export default {
  files: ['runner/**/*.test.ts', 'workflows/**/*.test.ts', 'e2e/**/*.test.ts'],
  extensions: ['ts'],
  concurrency: 2,
  // Pipes are opened by one part of Node and closed by another; its worker threads take that for a leak and close them.
  workerThreads: false,
  timeout: '2m',
};
