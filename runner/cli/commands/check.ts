import { InvalidArgumentError, Option } from 'commander';
import { checkManifests, checkReports } from '../../checks/check-findings.ts';
import type { FindingsCheck } from '../../checks/check-findings.ts';
import { severities } from '../../checks/finding.ts';
import type { Severity } from '../../checks/finding.ts';
import { checkLoad } from '../../checks/load.ts';
import type { LoadCheck } from '../../checks/load.ts';
import { checkRequests } from '../../checks/requests.ts';
import type { CheckPlace } from '../../checks/run-tool.ts';
import { parseDuration } from '../../model/duration.ts';
import { SluiceError } from '../../model/errors.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { untilSignal } from '../signals.ts';

interface CheckOptions {
  readonly url?: string;
  readonly postman: string;
  readonly http: string;
  readonly path: string;
  readonly duration: number;
  readonly connections: number;
  readonly rate: number;
  readonly p99: number;
  readonly errors: number;
  readonly metrics: string;
  readonly memory: number;
  readonly files: string;
  readonly severity: Severity;
  readonly waivers: string;
  readonly reports: string;
}

/** `''` counts as not given, so that gates can hand on inputs that were left out. */
export const defineCheck: Define = (command) => {
  command
    .argument('<what>', `one of ${Object.keys(checks).join(', ')}`)
    .option('--url <url>', 'requests, load: address of the app; `baseUrl` in files with requests')
    .option('--postman <patterns>', 'requests: Postman collections, patterns with spaces between them', '')
    .option('--http <patterns>', 'requests: HTTP files with assertions of httpyac', '')
    .option('--path <path>', 'load: what is asked', '/')
    .option('--duration <duration>', 'load: for how long', duration, 10_000)
    .option('--connections <number>', 'load: how many at once', count, 10)
    .option('--rate <number>', 'load: requests a second', count, 50)
    .option('--p99 <duration>', 'load: limit of the 99th percentile of the latency', duration, 500)
    .option('--errors <percent>', 'load: limit of the share of requests without an answer of 2xx', percent, 0)
    .option('--metrics <path>', 'load: where the app tells process_resident_memory_bytes, to look at its memory', '')
    .option('--memory <bytes>', 'load: how much memory may grow with each request', figure, 1_024)
    .option('--files <patterns>', 'findings, manifests: reports in SARIF, or manifests of Kubernetes', '')
    .addOption(
      new Option('--severity <severity>', 'findings, manifests: what is red, with all that is graver')
        .choices(severities)
        .default('high'),
    )
    .option('--waivers <file>', 'findings, manifests: YAML list of what somebody answers for until a day', '')
    .option('--reports <folder>', 'where the JUnit reports go', 'reports');
  return async (session) => {
    const [what = ''] = command.args;
    const check = Object.hasOwn(checks, what) ? checks[what as keyof typeof checks] : undefined;
    if (check === undefined) {
      const hint = `It can check ${Object.keys(checks).join(', ')}.`;
      throw new SluiceError('ERR_USAGE', `there is no check ${JSON.stringify(what)}`, { hint });
    }
    const stop = untilSignal(session.io);
    try {
      const say = session.json ? session.note : session.print;
      const place = { folder: session.folder, say, signal: stop.signal };
      const green = await check(command.opts(), place);
      if (session.json) session.printJson({ check: what, green });
      return green ? exitCodes.succeeded : exitCodes.failed;
    } finally {
      stop.close();
    }
  };
};

type Check = (options: CheckOptions, place: CheckPlace) => Promise<boolean>;

const checks = {
  requests: (options, place) => checkRequests({ ...options, url: addressOf(options) }, place),
  load: (options, place) => checkLoad(loadOf(options), place),
  findings: (options, place) => checkReports(findingsOf(options), place),
  manifests: (options, place) => checkManifests(findingsOf(options), place),
} satisfies Readonly<Record<string, Check>>;

function loadOf(options: CheckOptions): LoadCheck {
  const { path, duration, connections, rate, p99, errors, metrics, memory, reports } = options;
  const address = addressOf(options);
  return {
    url: within(address, path),
    durationMs: duration,
    connections,
    rate,
    p99Ms: p99,
    errorPercent: errors,
    ...(metrics !== '' && { memory: { url: within(address, metrics), bytesPerRequest: memory } }),
    reports,
  };
}

function findingsOf({ files, severity, waivers, reports }: CheckOptions): FindingsCheck {
  return { files, severity, waivers, reports, today: new Date().toISOString().slice(0, 10) };
}

function addressOf({ url = '' }: CheckOptions): string {
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw new SluiceError('ERR_USAGE', `${JSON.stringify(url)} is no address of an app`, {
    hint: 'Give `--url http://…`; in `run-tests` it is APP_URL.',
  });
}

/** Never another address: what is put under load is the app that is tested. */
function within(address: string, path: string): string {
  const url = URL.canParse(path, address) ? new URL(path, address) : undefined;
  if (path.startsWith('/') && url?.origin === new URL(address).origin) return url.href;
  throw new SluiceError('ERR_USAGE', `${JSON.stringify(path)} is no path of the app`, {
    hint: 'Give what stands behind its address, such as `/tasks`.',
  });
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Give a time such as 500ms or 10s.');
  return ms;
}

function figure(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('Give a number.');
  return Number(text);
}

function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Give a whole number from 1 to 999999.');
  return Number(text);
}

function percent(text: string): number {
  const share = figure(text);
  if (share > 100) throw new InvalidArgumentError('Give percents, 0 to 100.');
  return share;
}
