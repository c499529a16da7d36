export default {
  files: ['runner/**/*.test.ts', 'workflows/**/*.test.ts', 'e2e/**/*.test.ts'],
  extensions: ['ts'],
  concurrency: 2,
  timeout: '2m',
};
