import test from 'ava';
import { baseEnvironment } from './base-environment.ts';

test('programs, language, certificates and registries pass; everything else stays behind', (t) => {
  const passed = {
    PATH: '/opt/bin:/bin',
    LC_ALL: 'C',
    HTTPS_PROXY: 'http://proxy:3128',
    no_proxy: 'localhost',
    NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
    PIP_INDEX_URL: 'http://pip',
    GOPROXY: 'http://go',
    npm_config_registry: 'http://npm',
  };
  const behind = {
    HOME: '/home/me',
    AWS_SECRET_ACCESS_KEY: 'x',
    GITHUB_TOKEN: 'x',
    NODE_OPTIONS: '--inspect',
    EDITOR: 'vi',
  };
  t.deepEqual(baseEnvironment({ ...behind, ...passed, SSL_CERT_DIR: undefined }), { LANG: 'C.UTF-8', ...passed });
});

test('there is a PATH and a language even on a machine that names none', (t) => {
  t.deepEqual(baseEnvironment({}), { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' });
});

test('toolchains of rustup are found although the step has another home', (t) => {
  const machine = { HOME: '/home/me', PATH: '/home/me/.cargo/bin:/bin' };
  t.is(baseEnvironment(machine)['RUSTUP_HOME'], '/home/me/.rustup');
  t.is(baseEnvironment({ ...machine, RUSTUP_HOME: '/opt/rust' })['RUSTUP_HOME'], '/opt/rust');
  t.is(baseEnvironment({ ...machine, PATH: '/bin' })['RUSTUP_HOME'], undefined);
});
