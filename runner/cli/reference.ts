import type { Command } from 'commander';

const introduction = `# The command line

Written by \`sluice reference > docs/cli.md\`; a test compares the two.

| exit code | meaning |
| --- | --- |
| 0 | it succeeded |
| 1 | it failed: a run that is not green, a red report, a check that failed |
| 2 | a mistake on the command line, or problems in the pipeline file |
| 3 | errored: the fault is not the user's |
| 130 | interrupted |

With \`--json\` a command prints one document, \`run\`, \`rerun\`, \`show --follow\`, \`logs\` and \`junit\` one per line;
\`schemas/cli.schema.json\` has a definition for each. A command that cannot do its work prints \`{"error": …}\`.

| variable | meaning |
| --- | --- |
| \`SLUICE_HOME\` | data folder, as \`--home\` |
| \`SLUICE_JOBS\` | steps that may run at once, as \`--jobs\` |
| \`SLUICE_SECRET_NAME\` | the secret \`NAME\` |
| \`SLUICE_EXECUTOR\` | where steps run, as \`--executor\`; \`docs/kubernetes.md\` has the variables of that one |
| \`SLUICE_DATABASE_URL\` | a PostgreSQL database that several runners share, in place of SQLite; \`docs/store.md\` has its variables |
| \`SLUICE_BLOBS_URL\` | a bucket of an S3-compatible store for blobs, in place of files; \`docs/store.md\` has its variables |
| \`REGISTRY_AUTH_FILE\`, \`DOCKER_CONFIG\`, \`SLUICE_PLAIN_HTTP_REGISTRIES\` | credentials for registries, and those without TLS (\`docs/images.md\`) |
| \`NO_COLOR\`, \`FORCE_COLOR\` | never colours, always colours |
| \`CI\`, \`TERM=dumb\` | lines instead of a picture that moves |
`;

/** The page about the command line, from the help of the commands themselves. */
export function commandReference(program: Command): string {
  const shown = program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => program.commands.includes(command));
  return [introduction, ...shown.map(section)].join('\n');
}

/** Options that every command has are told once, by `sluice --help`. */
function section(command: Command): string {
  let help = '';
  command
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({ writeOut: (text) => (help += text) })
    .outputHelp();
  return `## ${command.name()}\n\n\`\`\`\n${help.trimEnd()}\n\`\`\`\n`;
}
