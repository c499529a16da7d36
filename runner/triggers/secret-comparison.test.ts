import test from 'ava';
import { ESLint } from 'eslint';

const file = 'runner/triggers/signature.ts';

test('lint refuses to compare secrets and signatures by anything that tells how much is equal', async (t) => {
  const eslint = new ESLint();
  const complaints = async (expression: string): Promise<number> => {
    const code = `declare const secret: string, a: { token: string; webhookSecret?: string }, b: string;\nexport const x = ${expression};\n`;
    const [result] = await eslint.lintText(code, { filePath: file });
    return result?.messages.filter(({ ruleId }) => ruleId === 'no-restricted-syntax').length ?? 0;
  };
  for (const compared of [
    'secret === b',
    'b !== secret',
    'a.token === b',
    'b == a.token',
    'a["token"] === b',
    'a.webhookSecret !== b',
  ])
    t.is(await complaints(compared), 1, compared);
  for (const harmless of ['secret === ""', 'a.webhookSecret === undefined', 'undefined !== a.webhookSecret', 'b === b'])
    t.is(await complaints(harmless), 0, harmless);
});
