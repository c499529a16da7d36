type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a step sees of the machine's environment: where programs are, how text is written, and how registries are
 * reached. Documented in docs/local-executor.md.
 */
const passed = [
  'PATH',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  // Toolchains that are not found through PATH alone.
  'JAVA_HOME',
  'GOROOT',
  'PYENV_ROOT',
  'RUSTUP_HOME',
  'VOLTA_HOME',
  // Certificates.
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'CARGO_HTTP_CAINFO',
  'PIP_CERT',
  // Registries.
  'PIP_INDEX_URL',
  'PIP_EXTRA_INDEX_URL',
  'PIP_TRUSTED_HOST',
  'PIP_FIND_LINKS',
  'PIP_NO_INDEX',
  'UV_INDEX_URL',
  'UV_DEFAULT_INDEX',
  'GOPROXY',
  'GONOPROXY',
  'GOPRIVATE',
  'GOSUMDB',
  'GONOSUMDB',
  'GOINSECURE',
  // The marker of the step that the runner itself runs in.
  'SLUICE_ATTEMPT_ID',
];

/** Names that count in either case. */
const passedInAnyCase = [
  'http_proxy',
  'https_proxy',
  'ftp_proxy',
  'all_proxy',
  'no_proxy',
  'npm_config_registry',
  'npm_config_cafile',
  'npm_config_proxy',
  'npm_config_https_proxy',
  'npm_config_noproxy',
];

/** The part of the machine's environment that every step gets; everything else stays behind. */
export function baseEnvironment(machine: Environment): Readonly<Record<string, string>> {
  const names = [...passed, ...passedInAnyCase, ...passedInAnyCase.map((name) => name.toUpperCase())];
  return Object.fromEntries([
    ['PATH', '/usr/local/bin:/usr/bin:/bin'],
    ['LANG', 'C.UTF-8'],
    ...rustupHome(machine),
    ...names.flatMap((name) => (machine[name] === undefined ? [] : [[name, machine[name]]])),
  ]) as Record<string, string>;
}

/** The programs of rustup look for their toolchains below HOME, which a step has for itself. */
function rustupHome(machine: Environment): readonly (readonly [string, string])[] {
  const home = machine['HOME'];
  const isUsed = home !== undefined && machine['PATH']?.split(':').includes(`${home}/.cargo/bin`);
  return isUsed ? [['RUSTUP_HOME', `${home}/.rustup`]] : [];
}
