import js from '@eslint/js';
import { defineConfig } from 'eslint/config';

const node = { URL: false, console: false, fetch: false, process: false };

export default defineConfig({
  files: ['**/*.js'],
  extends: [js.configs.recommended],
  languageOptions: { globals: node },
  rules: { eqeqeq: 'error', 'no-var': 'error', 'prefer-const': 'error' },
});
