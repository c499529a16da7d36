import { resolve } from 'node:path';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { selectArtifacts } from '../../results/report/run-artifacts.ts';
import { artifactRows } from '../view/artifact-rows.ts';
import { formatBytes } from '../view/format-bytes.ts';
import { count } from '../view/words.ts';
import { wholeReport } from '../../results/report/whole-run.ts';

export const defineArtifacts: Define = (command) => {
  command
    .argument('[run]', 'id, its beginning, or `latest`', 'latest')
    .argument('[patterns...]', 'only files whose path fits, such as `coverage/**`')
    .option('-d, --download <dir>', 'write them to this folder, below the name of their step');
  return async (session) => {
    const services = await session.services();
    const { download } = command.opts<{ readonly download?: string }>();
    const [run = 'latest', ...patterns] = command.args;
    const report = await wholeReport(await services.store.resolve(run), services);
    const artifacts = await selectArtifacts(report, patterns, services.store);
    const folder = download === undefined ? undefined : resolve(session.folder, download);
    if (folder !== undefined)
      await (await import('../download-artifacts.ts')).downloadArtifacts(artifacts, folder, services);
    if (session.json) session.printJson({ runId: report.runId, artifacts });
    else if (artifacts.length === 0) session.note(`Run ${report.runId} has no such artefact.`);
    else session.print(artifactRows(artifacts, session.palette).join('\n'));
    if (folder !== undefined && artifacts.length > 0) {
      const bytes = artifacts.reduce((sum, artifact) => sum + artifact.bytes, 0);
      session.note(`${count(artifacts.length, 'file')}, ${formatBytes(bytes)}, in ${folder}`);
    }
    return exitCodes.succeeded;
  };
};
