import { spawn } from 'node:child_process';
import type { RequestOptions } from 'node:https';
import type { Authenticator } from '@kubernetes/client-node/dist/auth.js';
import type { Cluster, User } from '@kubernetes/client-node/dist/config_types.js';
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js';
import { FileAuth } from '@kubernetes/client-node/dist/file_auth.js';
import { SluiceError } from '../model/errors.ts';
import type { Target } from './read-kubeconfig.ts';
import { isRecord } from './read-object.ts';

/** Adds the token, or certificate and key, of the moment. */
export type Login = (options: RequestOptions) => Promise<void>;

const pluginDeadlineMs = 30_000;

/** What a user's token comes from. OpenID Connect loads most of client-node (90 MB), so only its users pay for that. */
export async function loginOf({ cluster, user }: Target): Promise<Login> {
  const exec: unknown = user.exec;
  if (isRecord(exec)) return pluginLogin(user, exec, cluster);
  const provider: unknown = user.authProvider;
  if (!isRecord(provider)) return () => Promise.resolve();
  if (provider['name'] === 'tokenFile') return loginWith(new FileAuth(), user);
  if (provider['name'] === 'oidc') {
    const { OpenIDConnectAuth } = await import('@kubernetes/client-node/dist/oidc_auth.js');
    return loginWith(new OpenIDConnectAuth(), user);
  }
  throw new SluiceError('ERR_UNSUPPORTED', `user ${user.name} has the auth-provider ${String(provider['name'])}`, {
    hint: 'Kubernetes 1.26 took it out. Use its plugin instead, such as gke-gcloud-auth-plugin or kubelogin.',
  });
}

function loginWith(authenticator: Authenticator, user: User): Login {
  return (options) => authenticator.applyAuthentication(user, options);
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
function pluginLogin(user: User, exec: Readonly<Record<string, unknown>>, cluster: Cluster): Login {
  const { env } = exec;
  const given: readonly unknown[] = Array.isArray(env) ? env : [];
  const info = { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(execInfo(exec, cluster)) };
  const authenticator = new ExecAuth();
  // client-node waits for ever, and leaves standard input open to a plugin that asks questions.
  Reflect.set(authenticator, 'execFn', (command: string, args: readonly string[] | undefined, options: object) =>
    spawn(command, args ?? [], {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: pluginDeadlineMs,
      killSignal: 'SIGKILL',
    }),
  );
  return loginWith(authenticator, { ...user, exec: { ...exec, env: [...given, info] } });
}

/** ExecCredential of client.authentication.k8s.io: what a plugin gets to know. */
function execInfo({ apiVersion, provideClusterInfo }: Readonly<Record<string, unknown>>, cluster: Cluster): object {
  const { caData, server, skipTLSVerify, tlsServerName } = cluster;
  const about = {
    server,
    'certificate-authority-data': caData,
    'tls-server-name': tlsServerName,
    'insecure-skip-tls-verify': skipTLSVerify || undefined,
  };
  const spec = { interactive: false, cluster: provideClusterInfo === true ? about : undefined };
  return { apiVersion, kind: 'ExecCredential', spec };
}
