import { parseTemplate } from '../expressions/parse-template.ts';
import type { TemplateExpression, TemplatePart } from '../expressions/parse-template.ts';
import type { CommandInput } from './compilation.ts';
import { commandHint } from './names.ts';
import { under } from './problem-list.ts';
import type { StepCell } from './step-cell.ts';

/** The script of a step. Values never become part of one; only a command input stands for a whole script. */
export function compileScript(cell: StepCell): string {
  const script = cell.step.run ?? '';
  if (!script.includes('${{')) return script;
  return commandOf(script, cell.body.inputs?.commands)?.script ?? literalScript(cell, ['run'], script);
}

/** What a text like `${{ inputs.run }}` stands for, if it is nothing else than a command input. */
export function commandOf(
  text: string,
  commands: Readonly<Record<string, CommandInput>> = {},
): CommandInput | undefined {
  const template = parseTemplate(text.trim());
  const only = template.ok && template.parts.length === 1 ? template.parts[0] : undefined;
  if (only === undefined || typeof only === 'string') return undefined;
  const name = /^inputs\.(\w+)$/.exec(only.cel)?.[1] ?? '';
  return Object.hasOwn(commands, name) ? commands[name] : undefined;
}

/** A script without expressions; each one in it is a problem that shows how to pass the value instead. */
export function literalScript(cell: StepCell, path: readonly string[], script: string): string {
  const template = parseTemplate(script);
  const spot = under(cell.spot, ...path);
  const { problems } = cell.compilation;
  if (!template.ok) {
    problems.add(
      { ...spot, within: template.fault },
      'expression-invalid',
      template.fault.message,
      template.fault.hint,
    );
    return '';
  }
  const expressions = template.parts.filter((part) => typeof part !== 'string');
  for (const expression of expressions) {
    const within = { offset: expression.offset, length: Math.max(1, expression.cel.length) };
    const message = `\`\${{ ${expression.cel} }}\` cannot be put into a script.`;
    const isCommand = commandOf(`\${{ ${expression.cel} }}`, cell.body.inputs?.commands) !== undefined;
    const hint = isCommand ? commandHint : remedy(template.parts, expression);
    problems.add({ ...spot, within }, 'expression-in-script', message, hint);
  }
  return template.parts.filter((part) => typeof part === 'string').join('');
}

/** The exact lines to write instead, with the line of the script that holds the expression. */
function remedy(parts: readonly TemplatePart[], expression: TemplateExpression): string {
  let script = '';
  let at = 0;
  for (const part of parts) {
    if (part === expression) at = script.length;
    script += typeof part === 'string' ? part : reference(script, variableFor(part.cel));
  }
  const before = script.lastIndexOf('\n', at - 1) + 1;
  const [line = ''] = script.slice(before).split('\n', 1);
  const variable = `${variableFor(expression.cel)}: "\${{ ${expression.cel.replaceAll('"', "'")} }}"`;
  return `Pass it through \`env\`, so that a value cannot become code:\n  env: { ${variable} }\n  run: ${scriptLine(line.trim())}`;
}

/** The variable as the shell keeps it whole, whatever quotes are open where it stands. */
function reference(before: string, variable: string): string {
  const line = before.slice(before.lastIndexOf('\n') + 1);
  const isOpen = (quote: string): boolean => line.replaceAll(`\\${quote}`, '').split(quote).length % 2 === 0;
  if (isOpen('"')) return `\${${variable}}`;
  return isOpen("'") ? `'"$${variable}"'` : `"$${variable}"`;
}

/** On a line of its own where YAML would read it as something else than text. */
function scriptLine(line: string): string {
  return /^[\w./$]/.test(line) && !/: | #/.test(line) ? line : `|\n    ${line}`;
}

function variableFor(cel: string): string {
  const name = cel
    .replace(/^(needs|services|steps)\.|\.outputs\b/g, '')
    .replace(/\W+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toUpperCase();
  return /^[A-Z]\w{0,40}$/.test(name) ? name : 'VALUE';
}
