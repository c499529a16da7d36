import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

// How long `===` takes tells how much of two texts is equal; `equalSecrets` of runner/triggers/signature.ts does not.
const secretName = '/(secret|signature|token|password|hmac)$/i';
const comparedSecrets = ['left', 'right'].flatMap((side) => {
  const other = side === 'left' ? 'right' : 'left';
  const withText = `[${other}.type!="Literal"][${other}.name!="undefined"]`;
  const names = [`${side}.name`, `${side}.property.name`, `${side}.property.value`];
  return names.map((name) => `BinaryExpression[operator=/^[!=]==?$/][${name}=${secretName}]${withText}`);
});
const noComparedSecrets = {
  selector: comparedSecrets.join(', '),
  message: 'Secrets and signatures are compared in constant time: `equalSecrets`.',
};

export default defineConfig(
  { ignores: ['node_modules', 'dist', '.sluice', 'examples', 'e2e/backends/apps', '**/*.generated.*'] },
  {
    files: ['**/*.ts', '**/*.js'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-lines': ['error', { max: 400, skipComments: true, skipBlankLines: true }],
      'max-lines-per-function': ['error', { max: 60, skipComments: true, skipBlankLines: true }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', noComparedSecrets],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Numbers and booleans in messages are as readable as strings.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `void` marks a promise whose errors are handled inside it; the floating-promise rule finds the rest.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  { files: ['*.config.js'], rules: { 'no-restricted-exports': 'off' } },
  // A test file is a list of cases, and a case may need its whole story in one place.
  {
    files: ['**/*.test.ts', '**/*-contract.ts', 'e2e/**/*.ts'],
    rules: { 'max-lines-per-function': 'off', 'max-lines': 'off' },
  },
);
